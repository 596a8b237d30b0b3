import { join } from "node:path";
import { type Child, superviseChild } from "./child.ts";
import { freePort } from "./ports.ts";

const startMs = 30_000;

interface RehearsalSettings {
  readonly home: string;
  readonly projectRoot: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly onLine: (name: string, line: string) => void;
  readonly onStart: (pid: number) => void;
}

/**
 * Starts the rehearsal teacher on a port that it keeps over restarts, with its log beside the data. `ATTUNE_REHEARSAL_ARGS` adds flags: latency and faults.
 * @throws when it does not answer in time
 */
export async function startRehearsal({
  home,
  projectRoot,
  env,
  onLine,
  onStart,
}: RehearsalSettings): Promise<{ child: Child; url: string }> {
  const port = await freePort(0);
  const more = (env["ATTUNE_REHEARSAL_ARGS"] ?? "").split(" ").filter((part) => part !== "");
  const flags = ["--port", String(port), "--log", join(home, "rehearsal.jsonl"), ...more];
  const child = superviseChild({
    name: "rehearsal",
    command: [process.execPath, join(projectRoot, "rehearsal", "main.ts"), ...flags],
    cwd: projectRoot,
    env,
    restart: true,
    onLine,
    onStart,
  });
  const url = `http://127.0.0.1:${port}/v1`;
  for (const until = Date.now() + startMs; Date.now() < until; await new Promise((resolve) => setTimeout(resolve, 100))) {
    if (await answers(`${url}/models`)) return { child, url };
  }
  await child.stop(1000);
  throw new Error(`The rehearsal teacher did not answer at ${url} within ${startMs / 1000} s; its lines above say why.`);
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2000) })).ok;
  } catch {
    return false;
  }
}
