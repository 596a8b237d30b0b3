import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { validate } from "../../../cli/commands/validate.ts";
import { tempFolder } from "../../support/temp-folder.ts";

async function refusal(text: string): Promise<string[]> {
  const file = join(tempFolder(), "file.yaml");
  writeFileSync(file, text);
  const error: unknown = await validate(file, {}).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: "CliError", exitCode: 2 });
  return (error as Error).message.split("\n");
}

test.each([
  ["experiment: quickstart", 'cron: "0 3 * * *"'],
  ["experiment: quickstart", "calendar: { hour: 3 }"],
  ['cron: "0 3 * * *"', "catchupWindow: 6h"],
])("a schedule that lacks overlap is judged as a schedule: %s, %s", async (...lines) => {
  const problems = await refusal(["id: nightly", ...lines].join("\n"));
  expect(problems.join("\n")).toMatch(/overlap is missing/);
  expect(problems.join("\n")).not.toMatch(/providers|backbones/);
});

test("a context that lacks families is judged as a context", async () => {
  const problems = await refusal("id: support\ntitle: Support\npersonas: {}\n");
  expect(problems.join("\n")).toMatch(/families is missing/);
  expect(problems.join("\n")).not.toMatch(/providers/);
});
