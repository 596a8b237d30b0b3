import { relative } from "node:path";
import type { DatasetDiff } from "../data/diff.ts";
import { piiText } from "../../domain/pii.ts";
import type { Exported } from "../data/export.ts";
import type { Difference } from "../config/identity.ts";
import { bytes } from "./bytes.ts";
import { count, table } from "./table.ts";
import { harmless } from "./wrap.ts";

interface Listed {
  readonly dataset: string;
  readonly rows: number | null;
  readonly bytes: number | null;
  readonly sha256: string | null;
  readonly path: string | null;
  readonly there: boolean;
  readonly card: string | null;
}

/** @param folder the run's files lie below it */
export function datasetsText(listed: readonly Listed[], folder: string): string {
  const rows = table(
    [
      ["dataset", "rows", "size", "digest", "card", "file"],
      ...listed.map(({ dataset, rows, bytes: size, sha256, path, there, card }) => [
        dataset,
        rows === null ? "" : count(rows),
        size === null ? "" : bytes(size),
        sha256?.slice(0, 12) ?? "",
        card === null ? "none" : "yes",
        path === null ? "not made yet" : `${relative(folder, path)}${there ? "" : " (is gone)"}`,
      ]),
    ],
    [0, 3, 4, 5],
  );
  return `${rows}\n\nFiles are in ${folder}`;
}

/** Leaves shown of a row that differs, and characters of each value. */
const shownLeaves = 4;
const shownCharacters = 60;

export function diffText({ dataset, a, b, same, different, onlyA, onlyB, first }: DatasetDiff & Compared): string {
  const more = (all: number, shown: number) => (all > shown ? [`  … and ${count(all - shown)} more`] : []);
  const names = (title: string, all: number, rows: readonly string[]) =>
    all === 0 ? [] : ["", title, ...rows.map((row) => `  ${row}`), ...more(all, rows.length)];
  return [
    dataset,
    `  A  ${a}`,
    `  B  ${b}`,
    "",
    table([
      ["the same", count(same)],
      ["different", count(different)],
      ["only in A", count(onlyA)],
      ["only in B", count(onlyB)],
    ]),
    ...(different === 0 ? [] : ["", "Different:"]),
    ...first.different.flatMap(({ row, differences }) => [
      `  ${row}`,
      ...differences.slice(0, shownLeaves).flatMap(leafText),
      ...more(differences.length, shownLeaves).map((line) => `  ${line}`),
    ]),
    ...more(different, first.different.length),
    ...names("Only in A:", onlyA, first.onlyA),
    ...names("Only in B:", onlyB, first.onlyB),
  ].join("\n");
}

interface Compared {
  readonly dataset: string;
  readonly a: string;
  readonly b: string;
}

function leafText({ path, before, after }: Difference): readonly string[] {
  const [a, b] = [written(before), written(after)];
  let parted = 0;
  while (parted < a.length && a[parted] === b[parted]) parted += 1;
  const start = Math.max(0, parted - 15);
  const cut = (value: string) =>
    `${start > 0 ? "…" : ""}${value.slice(start, start + shownCharacters)}${value.length > start + shownCharacters ? "…" : ""}`;
  return [`    ${path}`, `      A  ${cut(a)}`, `      B  ${cut(b)}`];
}

const written = (value: unknown) => (value === undefined ? "(not there)" : harmless(JSON.stringify(value)));

export function exportText({ dataset, files, pii }: { readonly dataset: string } & Exported, hasCard: boolean): string {
  const rows = files.map(({ path, rows, bytes: size, sha256 }) => [
    path,
    rows === null ? "" : `${count(rows)} rows`,
    bytes(size),
    `sha256 ${sha256.slice(0, 12)}`,
  ]);
  const personal = piiText(pii.found);
  const marked = pii.policy === "mask" ? "masked" : "kept as it is";
  return [
    table(rows, [0, 3]),
    ...(personal === "" ? [] : [`Text that looks personal was ${marked}: ${personal}.`]),
    ...(hasCard ? [] : [`${dataset} has no card: no README.md was written.`]),
  ].join("\n");
}
