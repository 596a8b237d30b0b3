import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { indexLines } from "../../../platform/artifacts/line-index.ts";
import { tempFolder } from "../../support/temp-folder.ts";

async function linesOf(content: string, count: number) {
  const file = join(tempFolder(), "lines");
  writeFileSync(file, content);
  const index = await indexLines(file);
  return Promise.all(Array.from({ length: count }, (_, n) => index.line(n)));
}

it("gives every line by its number, whatever is in it and whether or not the last one ends", async () => {
  const line = fc.string({ unit: "grapheme" }).filter((text) => !/[\n\r]/.test(text));
  await fc.assert(
    fc.asyncProperty(fc.array(line, { minLength: 1 }), async (lines) => {
      const expected = [...lines, undefined];
      expect(await linesOf(lines.map((text) => `${text}\n`).join(""), expected.length)).toEqual(expected);
      if (lines.at(-1) !== "") expect(await linesOf(lines.join("\n"), expected.length)).toEqual(expected);
    }),
    { numRuns: 60 },
  );
  expect(await linesOf("", 1)).toEqual([undefined]);
});

it("reads lines that lie across chunks, and says when the file was cut or is gone", async () => {
  const lines = Array.from({ length: 5000 }, (_, n) => `${n} ${"é".repeat(n % 97)}`);
  const file = join(tempFolder(), "lines");
  writeFileSync(file, lines.map((text) => `${text}\n`).join(""));
  const { line } = await indexLines(file);
  for (const n of [0, 1, 1023, 3000, 4999]) expect(await line(n)).toBe(lines[n]);
  writeFileSync(file, "short\n");
  await expect(line(4999)).rejects.toThrow(/shorter than it was: line 5000/);
  rmSync(file);
  await expect(line(0)).rejects.toThrow(/ENOENT/);
});
