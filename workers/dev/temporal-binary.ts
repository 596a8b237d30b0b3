import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { venvFolder } from "./venv.ts";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The Temporal CLI with its dev server: TEMPORAL_CLI_PATH, else the set-up's own in the venv, else `temporal` on PATH.
 * @throws when there is none, saying how to get it
 */
export function temporalBinary({
  home,
  projectRoot,
  env,
}: {
  readonly home: string;
  readonly projectRoot: string;
  readonly env: Env;
}): string {
  const given = env["TEMPORAL_CLI_PATH"];
  if (given !== undefined && given !== "") {
    if (!isExecutable(given)) throw new Error(`TEMPORAL_CLI_PATH is ${given}, which can't be executed; correct it or unset it.`);
    return given;
  }
  const places = [join(venvFolder({ home, projectRoot }), "bin"), ...(env["PATH"] ?? "").split(delimiter)].map((folder) =>
    join(folder, "temporal"),
  );
  const found = places.find(isExecutable);
  if (found === undefined) {
    throw new Error("The Temporal CLI is not installed. Run `node bin/setup.mjs`, or set TEMPORAL_CLI_PATH to one you have.");
  }
  return found;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
