import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tempFolder } from "../../support/temp-folder.ts";
import { jobName } from "../../../workflows/ids.ts";
import { bench, lines, setUp, tearDown } from "./bench.ts";

beforeAll(setUp);
afterAll(tearDown);

/** A bench with a schedule for the experiment's nights; `wait` fires one and waits for its end. */
async function nightsOf(experiment: string) {
  const made = await bench();
  await made.publish(experiment);
  const id = `nights-of-${experiment}`;
  const file = join(tempFolder(), "nights.yaml");
  writeFileSync(file, `id: ${id}\nexperiment: ${experiment}\ncron: "0 3 1 1 *"\noverlap: skip\ncatchupWindow: 6h\n`);
  expect(await made.attune("schedule", "apply", file)).toMatchObject({ exitCode: 0, stderr: "" });
  const wait = (...flags: string[]) => made.attune("schedule", "trigger", id, "--wait", ...flags);
  const fire = async () => {
    const [{ workflowId } = {}] = lines((await made.attune("schedule", "trigger", id, "--json")).stdout);
    return String(workflowId);
  };
  return { ...made, wait, fire };
}

test("a held night is 4 with what it waits for, and goes on as its words say", async () => {
  const { attune, home, run, wait } = await nightsOf("held");
  const held = await wait();
  expect(held.stdout).toMatch(/Held \(budget\): The cap of 5 calls is reached\.\nRaise the budget, then resume\./);
  expect(held.exitCode).toBe(4);
  const [, command = "", id = ""] = /npx attune (resume) (night\/held-\S+)/.exec(held.stdout) ?? [];
  expect(id).toMatch(/^night\/held-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const status = await attune("status", id);
  expect(status.stdout).toMatch(/^night\/held-\S+: running\n[^]*evaluate\/smollm2-135m[^]*Held \(budget\)/);
  expect(status.exitCode).toBe(4);
  const [all] = lines((await attune("ls", "--json")).stdout) as unknown as [{ readonly workflowId: string }[]];
  expect(all.map(({ workflowId }) => workflowId)).toContain(id);

  // Named by its experiment, the night is not what is meant; the error says how to mean it.
  expect(await attune("pause", "held")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`give its id: ${id}`) });
  expect(await run("held", "--detach")).toMatchObject({ exitCode: 0 });
  expect(await attune("cancel", "held")).toMatchObject({ exitCode: 0 });
  expect(await attune("resume", "held")).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`give its id: ${id}`) });
  expect((await attune("status", "held")).stdout).toContain(`give its id: ${id}`);

  expect((await attune("logs", id)).stdout).toMatch(/has no jobs on this machine/);
  mkdirSync(join(home, "jobs", jobName(`${id}/eval/smollm2-135m`, "serve")), { recursive: true });
  expect((await attune("logs", id)).stdout).toMatch(/ {2}eval\.smollm2-135m\.serve\n/);
  expect(await attune("pause", id)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`npx attune resume ${id}`) });
  expect(await attune(command, id)).toMatchObject({ exitCode: 0 });
  expect(await attune("status", id, "--follow")).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/: passed/) });
  const [closed] = lines((await attune("status", id, "--json")).stdout);
  expect(closed).toMatchObject({ status: "COMPLETED", error: null, result: { verdict: "passed" } });
  expect((await attune("status", "held")).stdout).not.toContain(id);
});

test("a failed night is 1 with the failure's own words", async () => {
  const { wait } = await nightsOf("fails");
  const failed = await wait("--json");
  expect(failed.stderr).toMatch(/night\/fails-\S+ failed: BadData: Line 3 of the data has no level/);
  expect(lines(failed.stdout)).toMatchObject([{ id: "nights-of-fails", state: "failed", exitCode: 1 }]);
  expect(failed.exitCode).toBe(1);
});

test("a cancelled night is 5", async () => {
  const { attune, fire } = await nightsOf("waits");
  const id = await fire();
  const following = attune("status", id, "--follow");
  expect(await attune("cancel", id)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`Cancelled ${id}`) });
  expect(await following).toMatchObject({ exitCode: 5 });
  expect(await attune("status", id)).toMatchObject({ exitCode: 5 });
});

test("an id that is no night's is refused", async () => {
  const { attune } = await bench();
  expect(await attune("status", "night/none-2026-01-02T03:00:00Z")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/No night night\/none-2026-01-02T03:00:00Z is on this server; (?:none is open|open are)/),
  });
  expect(await attune("logs", "night/none-2026-01-02T03:00:00Z")).toMatchObject({ exitCode: 2 });
});
