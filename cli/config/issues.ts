import type { z } from "zod";
import { usageError } from "../errors.ts";
import { keysAt } from "./keys.ts";
import { nearest } from "./nearest.ts";

/** Where a path's value was written: a place in a file, a variable or a flag. */
export type Origin = (path: readonly PropertyKey[]) => string;

const shownIssues = 20;

/**
 * Parses what people wrote.
 * @throws CliError (exit 2), one line a problem: place, path, what is wrong, value and nearest key
 */
export function parseWritten<T extends z.ZodType>(schema: T, written: unknown, origin: Origin): z.output<T> {
  const parsed = schema.safeParse(written);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.flatMap((issue) => describeIssue(schema, written, issue, origin));
  const more = lines.length > shownIssues ? [`… and ${lines.length - shownIssues} more`] : [];
  throw usageError([...lines.slice(0, shownIssues), ...more].join("\n        "));
}

type Issue = z.core.$ZodIssue;

function describeIssue(schema: z.ZodType, written: unknown, issue: Issue, origin: Origin): readonly string[] {
  const { path } = issue;
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(schema, path);
    return issue.keys.map((key) => {
      const meant = nearest(key, known);
      const hint = meant === undefined ? `known keys: ${known.join(", ")}` : `did you mean ${meant}?`;
      return `${origin([...path, key])}: ${dotted([...path, visible(key)])} is no known key; ${hint}`;
    });
  }
  const value = valueAt(written, path);
  if (value === undefined) return [`${origin(path)}: ${dotted(path)} is missing (${expected(issue)})`];
  const choice =
    issue.code === "invalid_value" && typeof value === "string" ? nearest(value, issue.values.map(String)) : undefined;
  return [
    `${origin(path)}: ${dotted(path)} is ${show(value)}: ${expected(issue)}${choice === undefined ? "" : `; did you mean ${choice}?`}`,
  ];
}

/** zod's words without its preamble. */
function expected({ message }: Issue): string {
  return message
    .replace(/^Invalid input: /, "")
    .replace(/^(?:Invalid option|Too small|Too big|Invalid string): /, "")
    .replace(/, received .*$/, "");
}

function dotted(path: readonly PropertyKey[]): string {
  return path.length === 0
    ? "the file"
    : path.map((key, i) => (typeof key === "number" ? `[${key}]` : `${i === 0 ? "" : "."}${String(key)}`)).join("");
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (found, key) => (typeof found === "object" && found !== null ? Reflect.get(found, key) : undefined),
    value,
  );
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  // Credentials in an address are no more to be seen here than anywhere.
  const harmless = text.replaceAll(/(:\/\/)[^/@\s"]*@/g, "$1***@");
  return visible(harmless.length > 80 ? `${harmless.slice(0, 77)}…` : harmless);
}

/** Look-alike letters would print as the key a person meant to write. */
function visible(text: string): string {
  return text.replaceAll(/[^\u0020-\u007e…]/g, (letter) => `\\u{${letter.codePointAt(0)?.toString(16) ?? ""}}`);
}
