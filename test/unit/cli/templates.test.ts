import { expect, test } from "vitest";
import { checkTemplate } from "../../../cli/config/templates.ts";

test.each([
  ["an unclosed slot", "Name: {{name\n", /p\.md:1: a slot is written/],
  ["a slot that runs code", "Name: {{process.env}}\n", /p\.md:1: a slot is written/],
  ["a stray end", "Name: name}}\n", /p\.md:1: a slot is written/],
  ["a misspelt slot", "One\nName: {{nmae}}\n", /p\.md:2: nothing fills \{\{nmae\}\}; did you mean \{\{name\}\}\?/],
])("%s is refused", (_, text, message) => {
  expect(() => checkTemplate("persona-fields", text, "p.md")).toThrow(message);
});

test("known slots pass, as often as they stand there", () => {
  expect(() =>
    checkTemplate("persona-fields", "{{name}} and {{ not a slot } {{name}}, {{age}}".replace("{{ not a slot }", ""), "p.md"),
  ).not.toThrow();
});
