import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { orMissing } from "./digests.ts";

/** Nobody else names files so. */
const part = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.part$/;
/** No file takes so long to write or to fetch. */
const oldPartMs = 24 * 3600 * 1000;

/** What a process that was killed had begun. */
export async function removeOldParts(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = join(folder, name);
    const made = part.test(name) ? ((await stat(file).catch(orMissing))?.mtimeMs ?? null) : null;
    if (made !== null && Date.now() - made > oldPartMs) await rm(file, { force: true });
  }
}
