import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../../support/attune.ts";

interface Row {
  readonly fault: string;
  readonly what: string;
  readonly expected: string;
  readonly shown: string;
}

const rows = readFileSync(join(projectRoot, "docs/faults.md"), "utf8")
  .split("\n")
  .filter((line) => /^\| F\d/.test(line))
  .map((line): Row => {
    const [, fault = "", what = "", expected = "", shown = ""] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    return { fault, what, expected, shown };
  });
const ids = [...new Set(rows.map(({ fault }) => fault))];
const span = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `F${from + i}`);

test("every fault of calls, data and budgets is there, told once, with what must come of it", () => {
  expect(ids).toEqual(expect.arrayContaining([...span(12, 22), "F24", ...span(40, 50)]));
  for (const id of ids) {
    const own = rows.filter(({ fault }) => fault === id);
    expect(own[0]?.what, id).toMatch(/\w/);
    expect(own[0]?.expected, id).toMatch(/\w/);
    expect(
      own
        .slice(1)
        .map(({ what, expected }) => what + expected)
        .join(""),
      id,
    ).toBe("");
  }
});

test.each(rows.filter(({ shown }) => !shown.startsWith("Not yet: ")))(
  "$fault is shown by a test that is there: $shown",
  ({ shown }) => {
    const [, file = "", title = ""] = /^\[[^\]]+\]\(\.\.\/([^)]+)\) `([^`]+)`$/.exec(shown) ?? [];
    expect(existsSync(join(projectRoot, file)) && file !== "", file).toBe(true);
    const source = readFileSync(join(projectRoot, file), "utf8");
    const named = file.endsWith(".py") ? source.includes(`def ${title}(`) : source.includes(`"${title}"`);
    expect(named, title).toBe(true);
  },
);
