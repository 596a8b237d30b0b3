import type { Difference } from "../config/identity.ts";

const shown = 12;

/** `  converse.turns: 4 → 3`, a line each. */
export function differencesText(differences: readonly Difference[]): string {
  const lines = differences.map(({ path, before, after }) => `  ${path}: ${short(before)} → ${short(after)}`);
  return [...lines.slice(0, shown), ...(lines.length > shown ? [`  … and ${lines.length - shown} more`] : [])].join("\n");
}

function short(value: unknown): string {
  const text = value === undefined ? "(not there)" : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
