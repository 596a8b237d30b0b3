import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { loadExperiment } from "../../cli/config/experiment.ts";
import { readReferences } from "../../cli/config/references.ts";
import { contextFile, experimentFile, humanDataFile } from "../../cli/init/files.ts";
import { projectRoot } from "./attune.ts";
import { tempFolder } from "./temp-folder.ts";

const fresh = { name: "support", folder: "experiments/support", up: "../../" };

/** What `init support` writes, in a project of the test with the shipped prompts and labels. */
export function written() {
  const root = tempFolder();
  for (const part of ["configs/prompts", "configs/rubrics", "rehearsal/corpus"])
    cpSync(join(projectRoot, part), join(root, part), { recursive: true });
  const put = (path: string, content: string | Buffer) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  const file = join(root, fresh.folder, "experiment.yaml");
  put(`${fresh.folder}/experiment.yaml`, experimentFile(fresh));
  for (const id of ["support-a", "support-b"])
    put(`${fresh.folder}/contexts/${id}.yaml`, contextFile(fresh, id, "A kind of talk"));
  put(`${fresh.folder}/human-data.jsonl`, humanDataFile(["support-a", "support-b"]));
  return {
    root,
    file,
    put,
    /** Reads it as `validate` and `run` do. */
    read: async (...sets: readonly string[]) => readReferences(await loadExperiment(file, { env: {}, sets }), { file, root }),
  };
}
