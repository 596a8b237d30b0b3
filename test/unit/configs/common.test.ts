import { resolve } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { filePath, id } from "../../../configs/schema/common.ts";

test.each([
  "",
  "../../etc",
  "/etc/passwd",
  "a/b",
  "a\\b",
  "a\0b",
  "CON",
  "con.",
  ".hidden",
  "-rf",
  "a-",
  "x".repeat(300),
  "party🎉",
  "s\u0435ed",
  "a b",
  "$(id)",
  "a\nb",
])("%j is no id", (text) => {
  expect(id.safeParse(text).success).toBe(false);
});

test.each([
  "",
  "../../etc",
  "a/../../b",
  "..",
  "/etc/passwd",
  "a\\b",
  "a\0b",
  "-rf",
  "x".repeat(301),
  "🎉",
  "a b",
  "~/x",
  "$(id)",
  "a;b",
  "a\nb",
])("%j is no path of a file", (text) => {
  expect(filePath.safeParse(text).success).toBe(false);
});

test("every path that is allowed stays below the root it is resolved against", () => {
  const part = fc.constantFrom(".", "..", "...", "/", "a", "B1", "_", "-", "", "\\", "%2e%2e", "\u2024", "\0");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const path = parts.join("");
      if (!filePath.safeParse(path).success) return;
      expect(`${resolve("/project", path)}/`.startsWith("/project/")).toBe(true);
    }),
    { numRuns: 2000 },
  );
});
