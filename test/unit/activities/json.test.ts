import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readJson } from "../../../activities/judging/json.ts";

describe("readJson", () => {
  test.each([
    ['{"a":1}', { a: 1 }],
    ['```json\n{"a":1}\n```', { a: 1 }],
    ['Here you are: {"a":1} Hope it helps.', { a: 1 }],
    ['{"a":1,}', { a: 1 }],
    ['{"a":1', undefined],
    ['{"a":1} {"a":2}', undefined],
    ["no json at all", undefined],
    ["", undefined],
    ['{"a":NaN}', undefined],
  ])("%s", (text, value) => {
    expect(readJson(text)).toEqual(value);
  });

  test("reads back whatever was written, inside prose", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z ,]{0,9}$/), fc.integer()), (value) => {
        expect(readJson(`Well: ${JSON.stringify(value)} That is it.`)).toEqual(value);
      }),
    );
  });
});
