import { expect, test } from "vitest";
import { z } from "zod";
import { readRows, utf8Text } from "../../../configs/schema/jsonl.ts";

const row = z.strictObject({ a: z.number() });

test("a byte order mark is no text, and letters stay what they are", () => {
  expect(utf8Text(Buffer.from('\uFEFF{"a":1}'))).toBe('{"a":1}');
  expect(utf8Text(Buffer.from("café"))).toBe("café");
});

test.each([
  ["Latin-1", Buffer.from("café", "latin1")],
  ["UTF-16", Buffer.from("\uFEFFcafé", "utf16le")],
  ["half a letter", Buffer.from("café").subarray(0, -1)],
])("%s is no UTF-8", (_, bytes) => {
  expect(utf8Text(bytes)).toBeNull();
});

test("rows and problems have their lines, whatever ends a line", () => {
  for (const end of ["\n", "\r\n"]) {
    const { rows, problems } = readRows(row, ['{"a":1}', "", "{", '{"a":"x"}', '{"a":2}', ""].join(end));
    expect(rows).toEqual([
      { a: 1, line: 1 },
      { a: 2, line: 5 },
    ]);
    expect(problems.map(({ line, field }) => [line, field])).toEqual([
      [3, ""],
      [4, "a"],
    ]);
  }
});
