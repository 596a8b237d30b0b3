import fc from "fast-check";
import { expect, test } from "vitest";
import { beside, columnsWide, harmless, labelled, wrap } from "../../../cli/view/wrap.ts";

test("lines break between words, and keep breaks and indentation of their own", () => {
  expect(wrap("one two three", 8)).toEqual(["one two", "three"]);
  expect(wrap("- one\n  two three four\n\nfive", 12)).toEqual(["- one", "  two three", "  four", "", "five"]);
  expect(wrap("abcdefgh", 3)).toEqual(["abc", "def", "gh"]);
  expect(wrap("", 10)).toEqual([""]);
});

test("no line is wider than it may be, and no word is lost", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), fc.integer({ min: 2, max: 30 }), (text, width) => {
      const lines = wrap(text, width);
      for (const line of lines) expect(columnsWide(line)).toBeLessThanOrEqual(width);
      const bare = (written: string) => written.replaceAll(/[ \n]/g, "");
      expect(bare(lines.join(""))).toBe(bare(harmless(text)));
    }),
  );
});

test("wide characters count twice", () => {
  expect(columnsWide("日本")).toBe(4);
  expect(columnsWide("👩‍👩‍👧 é")).toBe(4);
  expect(wrap("日本日本", 5)).toEqual(["日本", "日本"]);
});

test("a model's text can't steer the terminal", () => {
  expect(harmless("a\u001b[2Jb\u009bc\u202ed\r\ne\tf")).toBe("a\ufffd[2Jb\ufffdc\ufffdd\ne    f");
});

test("names stand in a column, two texts beside each other", () => {
  expect(labelled("Ann", 5, "one two three four five six", 27)).toBe("  Ann  one two three four\n       five six");
  expect(beside("chosen\none", "rejected", 23)).toBe("chosen     │ rejected\none        │");
});
