import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { attuneIn, isAlive, until } from "../../support/attune.ts";

const stack = attuneIn("dev");
afterAll(() => stack.remove());

const pids = () => Object.values(stack.devFile().children).map(({ pid }) => pid);

test(
  "the dev stack: one a data directory, whole again after a kill, and nothing left after Ctrl-C",
  { timeout: 240_000 },
  async () => {
    const end = await stack.startDev();
    const { supervisor } = stack.devFile() as unknown as { supervisor: { pid: number } };
    const doctor = await stack.attune("doctor", "--json");
    const second = await stack.attune("dev");
    expect(second.exitCode).toBe(3);
    expect(second.stderr).toMatch(new RegExp(`A dev stack runs here already \\(process ${supervisor.pid}\\)`));
    const { checks } = JSON.parse(doctor.stdout) as { checks: { name: string; state: string }[] };
    expect(checks.filter(({ state }) => state !== "ok").map(({ name }) => name)).not.toContain("search attributes");

    // A worker that is killed is started again.
    const before = stack.devFile().children["llm"]?.pid ?? 0;
    process.kill(before, "SIGKILL");
    await until(() => (stack.devFile().children["llm"]?.pid ?? before) !== before, 30_000, "another llm worker");

    // Killed itself, it leaves its children; the next one ends them and takes over.
    const orphans = pids();
    process.kill(supervisor.pid, "SIGKILL");
    await end();
    expect(orphans.some(isAlive)).toBe(true);
    const endAgain = await stack.startDev();
    await until(() => !orphans.some(isAlive), 30_000, "the end of the orphans");

    const children = pids();
    expect(children.length).toBe(5);
    await endAgain();
    expect(children.filter(isAlive)).toEqual([]);
    expect(existsSync(join(stack.home, "dev.json"))).toBe(false);
  },
);
