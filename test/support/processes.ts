import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** Starts a program of test/fixtures on this Node; ended with the test. */
export function startFixture(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess & { readonly lines: AsyncIterableIterator<string> } {
  const program = fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return Object.assign(child, { lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() });
}

/** All that a fixture prints; rejects when it fails. */
export async function runFixture(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = startFixture(path, args, env);
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  let output = "";
  for await (const line of child.lines) output += `${line}\n`;
  const code = await ended;
  if (code !== 0) throw new Error(`${path} ended with ${code}`);
  return output;
}
