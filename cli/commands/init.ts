import { mkdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { id } from "../../configs/schema/common.ts";
import { usageError } from "../errors.ts";
import { contextFile, experimentFile, humanDataFile } from "../init/files.ts";
import { commandOutput } from "../output.ts";
import { projectRoot } from "../project.ts";

/** `attune init NAME`: a folder `experiments/NAME` in the project with an experiment, two contexts and example data. Overwrites nothing. */
export async function init(name: string, options: { readonly json?: boolean }): Promise<void> {
  if (!id.safeParse(name).success || name.length > 30)
    throw usageError(`${JSON.stringify(name)} is no name for an experiment: use 1–30 of a–z, 0–9 and inner dashes.`);
  const folder = `experiments/${name}`;
  const fresh = { name, folder, up: "../../" };
  const contexts = [`${name}-a`, `${name}-b`] as const;
  const files: Readonly<Record<string, string>> = {
    [`${folder}/experiment.yaml`]: experimentFile(fresh),
    [`${folder}/contexts/${contexts[0]}.yaml`]: contextFile(fresh, contexts[0], "Replace this: the first kind of conversation"),
    [`${folder}/contexts/${contexts[1]}.yaml`]: contextFile(fresh, contexts[1], "Replace this: the second kind of conversation"),
    [`${folder}/human-data.jsonl`]: humanDataFile(contexts),
  };
  const place = join(projectRoot, folder);
  const made = await mkdir(place, { recursive: true });
  if (made === undefined) throw usageError(`${folder} is there already; take another name, or remove it.`);
  await mkdir(join(place, "contexts"));
  for (const [path, text] of Object.entries(files)) await writeFile(join(projectRoot, path), text, { flag: "wx" });
  const file = relative(process.cwd(), join(place, "experiment.yaml"));
  commandOutput(options).result(
    { folder, files: Object.keys(files) },
    [
      ...Object.keys(files).map((path) => `wrote ${path}`),
      "",
      "Then (docs/guide.md):",
      `  edit the files; npx attune validate ${file}`,
      "  npx attune dev            in another terminal, with your key in its environment",
      `  npx attune doctor ${file}`,
      `  npx attune run ${file}`,
    ].join("\n"),
  );
}
