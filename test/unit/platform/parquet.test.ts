import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Columns, flag, integer, list, number, struct, text, writeParquet } from "../../../platform/parquet.ts";
import { tempFolder } from "../../support/temp-folder.ts";

// What another program reads of such a file is tested in test/platform/cli/data.test.ts.

const columns: Columns = { name: text, turns: list(struct({ said: text, level: number })), age: integer, plain: flag };

async function* stream(rows: readonly Readonly<Record<string, unknown>>[]) {
  yield* rows;
}
const written = (...rows: readonly Readonly<Record<string, unknown>>[]) =>
  writeParquet(join(tempFolder(), "rows.parquet"), columns, stream(rows));

test("rows are counted, none is fine, and the file is whole", async () => {
  const file = join(tempFolder(), "rows.parquet");
  const rows = Array.from({ length: 2001 }, (_, i) => ({ name: `n${i}`, turns: [], age: i, plain: null }));
  expect(await writeParquet(file, columns, stream(rows))).toBe(2001);
  const bytes = readFileSync(file);
  expect([bytes.subarray(0, 4).toString(), bytes.subarray(-4).toString()]).toEqual(["PAR1", "PAR1"]);
  expect(await written()).toBe(0);
});

test.each([
  [{ name: 3 }, /^row 1\.name is 3, and its column holds text$/],
  [{ age: 1.5 }, /age is 1\.5, and its column holds integer/],
  [{ age: 2 ** 31 }, /column holds integer/],
  [{ plain: "yes" }, /plain is "yes", and its column holds flag/],
  [{ turns: { said: "a" } }, /turns is {"said":"a"}, and its column holds list/],
  [{ turns: [{ said: "a" }, { said: "b", mood: 1 }] }, /^row 1\.turns\[1\] has mood, for which there is no column$/],
  [{ toString: "a" }, /has toString/],
])("a value that its column can't hold is refused: %j", async (row, message) => {
  await expect(written(row)).rejects.toThrow(message);
});
