import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { isAlive, startTimeOf, type ProcessId } from "../../platform/jobs/processes.ts";

const processId = z.strictObject({ pid: z.int(), startTime: z.number() });

const devStack = z.strictObject({
  supervisor: processId,
  children: z.record(z.string(), processId),
  temporalAddress: z.string(),
  uiUrl: z.string(),
  rehearsalUrl: z.string(),
  startedAt: z.string(),
});

/** What a running dev stack tells other commands: its addresses and processes. */
export type DevStack = z.infer<typeof devStack>;

const fileOf = (home: string) => join(home, "dev.json");

/** The stack that runs over this data directory; null when there is none, or its supervisor is gone. */
export async function readDevStack(home: string): Promise<DevStack | null> {
  const stack = await readDevFile(home);
  return stack !== null && (await isAlive(stack.supervisor)) ? stack : null;
}

/** Processes of a stack whose supervisor was killed: they hold its ports and its database. */
export async function leftovers(home: string): Promise<readonly (ProcessId & { readonly name: string })[]> {
  const stack = await readDevFile(home);
  if (stack === null || (await isAlive(stack.supervisor))) return [];
  const children = Object.entries(stack.children).map(([name, id]) => ({ name, ...id }));
  const alive = await Promise.all(children.map(isAlive));
  return children.filter((_, i) => alive[i]);
}

let writing: Promise<unknown> = Promise.resolve();

/** Writes of one process follow each other, so that the newest stands: children start and restart at any time. */
export function writeDevStack(home: string, stack: DevStack): Promise<void> {
  const write = async () => {
    const file = fileOf(home);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(`${file}.part`, JSON.stringify(stack, null, 1));
    await rename(`${file}.part`, file);
  };
  const written = writing.then(write, write);
  writing = written;
  return written;
}

export async function removeDevStack(home: string): Promise<void> {
  await rm(fileOf(home), { force: true });
}

/** @throws when the process is gone already */
export async function processIdOf(pid: number): Promise<ProcessId> {
  const startTime = await startTimeOf(pid);
  if (startTime === null) throw new Error(`Process ${pid} ended as soon as it was started`);
  return { pid, startTime };
}

async function readDevFile(home: string): Promise<DevStack | null> {
  try {
    const parsed = devStack.safeParse(JSON.parse(await readFile(fileOf(home), "utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
