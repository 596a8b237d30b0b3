import { existsSync } from "node:fs";
import { join } from "node:path";

/** The trainer's Python environment: the data directory's own, else the one that the set-up made for the project. */
export function venvFolder({ home, projectRoot }: { readonly home: string; readonly projectRoot: string }): string {
  const own = join(home, "venv");
  return existsSync(own) ? own : join(projectRoot, ".attune", "venv");
}
