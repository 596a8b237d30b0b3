import { execa } from "execa";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const projectRoot = fileURLToPath(new URL("../..", import.meta.url));

/** A data directory of its own that shares the prepared models, and `attune` run in it as a user runs it. */
export function attuneIn(name: string, more: Readonly<Record<string, string>> = {}) {
  const home = mkdtempSync(join(tmpdir(), `attune-${name}-`));
  mkdirSync(home, { recursive: true });
  symlinkSync(join(projectRoot, ".attune", "models"), join(home, "models"));
  const env = { ATTUNE_HOME: home, ...more };

  const attune = (...args: readonly string[]) =>
    execa("node", [join(projectRoot, "bin", "attune.mjs"), ...args], { cwd: projectRoot, env, reject: false, stdin: "ignore" });

  const devFile = () => JSON.parse(readFileSync(join(home, "dev.json"), "utf8")) as DevFile;

  return {
    home,
    attune,
    devFile,
    /** Starts the stack and waits until it says where it is; answers how to end it as a person does, with Ctrl-C. */
    startDev: async (): Promise<() => Promise<void>> => {
      const dev = attune("dev");
      let over = false;
      void dev.then(() => (over = true));
      await until(() => {
        if (over) throw new Error("attune dev ended before it was up");
        return readable(devFile)?.children["gpu"] !== undefined;
      }, 120_000);
      return async () => {
        dev.kill("SIGINT");
        await dev;
      };
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}

interface DevFile {
  readonly children: Readonly<Record<string, { readonly pid: number }>>;
  readonly temporalAddress: string;
  readonly uiUrl: string;
  readonly rehearsalUrl: string;
}

export function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Polls until the condition holds. @throws Error after `ms` */
export async function until(holds: () => boolean, ms: number, what = "the awaited state"): Promise<void> {
  const end = Date.now() + ms;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`${what} did not come within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
