import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { context } from "../../configs/schema/context.ts";
import { experiment } from "../../configs/schema/experiment.ts";
import { humanRow } from "../../configs/schema/human-data.ts";
import { schedule } from "../../configs/schema/schedule.ts";
import { jobSpec } from "../../contract/job-spec.ts";
import { CliError, exitCodes } from "../errors.ts";
import { commandOutput } from "../output.ts";
import { projectRoot } from "../project.ts";

/** Files that editors and the trainer read, by where they are written. */
function emitted(): Readonly<Record<string, unknown>> {
  const written = (schema: z.ZodType) => z.toJSONSchema(schema, { io: "input" });
  return {
    "configs/json/experiment.schema.json": written(experiment),
    "configs/json/context.schema.json": written(context),
    "configs/json/schedule.schema.json": written(schedule),
    "configs/json/human-data.schema.json": written(humanRow),
    "configs/json/job-spec.schema.json": z.toJSONSchema(jobSpec),
    "trainer/job-spec.schema.json": z.toJSONSchema(jobSpec),
  };
}

/** `attune schema`: writes the JSON Schemas; with `--check` says whether the files are what the code would write. */
export async function schema({ check, ...options }: { readonly json?: boolean; readonly check?: boolean }): Promise<void> {
  const changed: string[] = [];
  for (const [path, value] of Object.entries(emitted())) {
    const file = join(projectRoot, path);
    const text = `${JSON.stringify(value, null, 2)}\n`;
    if ((await readFile(file, "utf8").catch(() => null)) === text) continue;
    changed.push(path);
    if (check !== true) await writeFile(file, text);
  }
  if (check === true && changed.length > 0) {
    throw new CliError(
      exitCodes.failed,
      `Not what the code would write: ${changed.join(", ")}. Run \`npx attune schema\` and commit them.`,
    );
  }
  commandOutput(options).result(
    { changed },
    changed.length === 0 ? "All schemas are up to date." : changed.map((path) => `wrote ${path}`).join("\n"),
  );
}
