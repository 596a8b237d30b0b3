import { execFile } from "node:child_process";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporalBinary } from "../../workers/dev/temporal-binary.ts";
import { venvFolder } from "../../workers/dev/venv.ts";
import { CliError } from "../errors.ts";
import type { Project } from "../project.ts";

/** One thing that must hold; the remedy says what to do where it does not. */
export interface Check {
  readonly name: string;
  readonly state: "ok" | "warning" | "failed";
  readonly detail: string;
  readonly remedy?: string;
}

const exec = promisify(execFile);
const lowDiskBytes = 2e9;
const programMs = 60_000;
const setUp = "Run `node bin/setup.mjs`.";

/** What this machine has: programs, packages, models, disk. */
export async function* machineChecks({ home, env, root }: Project): AsyncGenerator<Check> {
  yield await attempt("Node", setUp, async () => {
    if (!process.versions.node.startsWith("24.")) throw new Error(`${process.versions.node} runs this, not the pinned 24`);
    return process.versions.node;
  });
  const python = env["ATTUNE_PYTHON"] ?? join(venvFolder({ home, projectRoot: root }), "bin", "python");
  yield await attempt("trainer's Python", setUp, async () => {
    const code =
      "import sys, torch, transformers, peft, trl; print(sys.version.split()[0], 'torch', torch.__version__, 'GPU' if torch.cuda.is_available() else 'CPU only')";
    return (await exec(python, ["-c", code], { timeout: programMs, cwd: root })).stdout.trim();
  });
  yield await attempt("Temporal CLI", "Run `node bin/setup.mjs`, or set TEMPORAL_CLI_PATH.", async () => {
    const binary = temporalBinary({ home, projectRoot: root, env });
    return `${(await exec(binary, ["--version"], { timeout: programMs })).stdout.trim()} (${binary})`;
  });
  yield await attempt("disk", "Free some space: a run needs up to 2 GB.", async () => {
    const { bavail, bsize } = await statfs(home);
    const free = bavail * bsize;
    if (free < lowDiskBytes) throw new Error(`${(free / 1e9).toFixed(1)} GB free at ${home}`);
    return `${(free / 1e9).toFixed(0)} GB free`;
  });
}

/** Runs a look; its error becomes a failed check with the remedy. */
export async function attempt(name: string, remedy: string, look: () => Promise<string>): Promise<Check> {
  try {
    return { name, state: "ok", detail: await look() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // Our own errors are written for people, line by line; a program's go on with its stack.
    const detail = error instanceof CliError ? message : (message.split("\n")[0] ?? message);
    return { name, state: "failed", detail, remedy };
  }
}
