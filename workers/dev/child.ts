import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface ChildSpec {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Started again with growing pauses when it ends by itself. */
  readonly restart: boolean;
  /** Every line it prints, on either stream. */
  readonly onLine: (name: string, line: string) => void;
  /** The process is there, first or again. */
  readonly onStart?: (pid: number) => void;
}

export interface Child {
  readonly name: string;
  readonly pid: number | undefined;
  /** Asks it to end; ends it by force after `graceMs`. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
  /** Resolves when it ended for good: with the code, or null for a signal. */
  readonly ended: Promise<number | null>;
}

const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** A child that ran this long was well: the pauses start small again. */
const steadyMs = 60_000;

/** Starts a process in a group of its own: Ctrl-C on the terminal reaches the supervisor alone, which ends its children in order. */
export function superviseChild(spec: ChildSpec): Child {
  const [program, ...args] = spec.command;
  let current: ChildProcess | null = null;
  let stopping = false;
  let pauseMs = firstPauseMs;
  let wake: (() => void) | null = null;

  const once = (): Promise<number | null> =>
    new Promise((resolve) => {
      const child = spawn(program, args, { cwd: spec.cwd, env: spec.env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
      current = child;
      if (child.pid !== undefined) spec.onStart?.(child.pid);
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream, crlfDelay: Infinity }).on("line", (line) => spec.onLine(spec.name, line));
      }
      child.once("error", (error) => {
        spec.onLine(spec.name, `could not be started: ${error.message}`);
        resolve(null);
      });
      child.once("exit", (code) => resolve(code));
    });

  const keep = async (): Promise<number | null> => {
    for (;;) {
      const started = performance.now();
      const code = await once();
      current = null;
      if (stopping || !spec.restart) return code;
      if (performance.now() - started > steadyMs) pauseMs = firstPauseMs;
      spec.onLine(spec.name, `ended with ${code ?? "a signal"}; starting it again in ${pauseMs / 1000} s`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      pauseMs = Math.min(2 * pauseMs, longestPauseMs);
      if (stopping) return code;
    }
  };

  const ended = keep();
  return {
    name: spec.name,
    get pid() {
      return current?.pid;
    },
    ended,
    stop: async (graceMs) => {
      stopping = true;
      wake?.();
      current?.kill("SIGTERM");
      const force = setTimeout(() => current?.kill("SIGKILL"), graceMs);
      await ended;
      clearTimeout(force);
    },
  };
}
