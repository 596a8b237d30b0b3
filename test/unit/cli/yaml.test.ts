import { describe, expect, test } from "vitest";
import { parseYaml, readText } from "../../../cli/config/yaml.ts";
import { CliError } from "../../../cli/errors.ts";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";

function refusal(text: string): string {
  try {
    parseYaml(text, "x.yaml");
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    expect(error.exitCode).toBe(2);
    return error.message;
  }
  throw new Error("was not refused");
}

const bomb = `a: &a [x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]
e: [*d, *d, *d, *d, *d, *d, *d, *d, *d]
`;

describe("poisoned YAML is refused with file and line", () => {
  test.each([
    ["an anchors bomb", bomb, /Write repeated parts out/],
    ["duplicate keys", "name: a\nseed: 1\nname: b\n", /^x\.yaml:3: .*unique/],
    ["a number beyond all numbers", "a:\n  b: 1e999\n", /^x\.yaml:2: 1e999 is not a finite number/],
    ["infinity by name", "a: .inf\n", /^x\.yaml:1: \.inf is not a finite number/],
    ["a prototype key", "a:\n  __proto__: { b: 1 }\n", /^x\.yaml:2: the key __proto__ is not allowed/],
    ["a constructor key", "constructor: 1\n", /constructor is not allowed/],
    ["two documents", "a: 1\n---\nb: 2\n", /^x\.yaml:2: /],
    ["a tag that makes objects", "a: !!js/function 'x'\n", /^x\.yaml:1: /],
    ["broken syntax", "a: [1, 2\n", /^x\.yaml:\d: /],
    ["a NUL character", 'a: "\\0"\n', /NUL/],
    ["a list as a key", "? [1, 2]\n: 3\n", /a key must be a plain text/],
  ])("%s", (_, text, message) => {
    expect(refusal(text)).toMatch(message);
  });

  test("a file of 10 MB is not read", async () => {
    const folder = mkdtempSync(join(tmpdir(), "attune-yaml-"));
    try {
      writeFileSync(join(folder, "large.yaml"), `a: ${"x".repeat(10_000_000)}\n`);
      await expect(readText(join(folder, "large.yaml"))).rejects.toThrow(/9\.5 MB; configuration files have 1 MB at most/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test("NO stays a text, and merge keys are no magic", () => {
  expect(parseYaml("a: NO\nb: yes\nc: 0o7\n", "x.yaml").value).toEqual({ a: "NO", b: "yes", c: 7 });
  expect(parseYaml("a: &a { x: 1 }\nb:\n  <<: *a\n", "x.yaml").value).toEqual({ a: { x: 1 }, b: { "<<": { x: 1 } } });
});

test("a path's place is its line, or its nearest parent's", () => {
  const { where } = parseYaml("a:\n  b:\n    - c: 1\n    - c: 2\n", "x.yaml");
  expect(where(["a", "b", 1, "c"])).toBe("x.yaml:4");
  expect(where(["a", "b", 1, "missing"])).toBe("x.yaml:4");
  expect(where(["nowhere"])).toBe("x.yaml:1");
});
