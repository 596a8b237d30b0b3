import { afterEach, expect, test, vi } from "vitest";
import { show } from "../../../cli/commands/show.ts";
import { withStores } from "../../../cli/project.ts";
import { planFor } from "../../../configs/schema/plan.ts";
import { launchKey } from "../../../contract/places.ts";
import { resolvedStub } from "../../support/resolved.ts";
import { tempFolder } from "../../support/temp-folder.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** What `show old` prints of a run whose stored configuration is this text. */
async function shown(config: string, options: { readonly json?: boolean } = {}): Promise<string> {
  const home = tempFolder();
  vi.stubEnv("ATTUNE_HOME", home);
  await withStores({ home }, async ({ artifacts, records }) => {
    const run = { name: "old", digest: "ab".repeat(32), config: await artifacts.put("runs/old/config.json", config), epoch: "" };
    const launch = { run, plan: planFor(resolvedStub()), rehearsal: true, at: "2025-01-01T00:00:00.000Z" };
    await records.putFirst(launchKey(run), launch);
  });
  const lines: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
  await show("old", options);
  return lines.join("");
}

test("the models of a run are shown", async () => {
  const config = { ...resolvedStub(), answeredModels: { teacher: "rehearsal@1" } };
  expect(await shown(JSON.stringify(config))).toMatch(/models {2}teacher rehearsal@1/);
});

test("a configuration that another version wrote stops nothing", async () => {
  const text = await shown(JSON.stringify({ experiment: { steps: 3 }, anotherKey: true }));
  expect(text).toMatch(/^exp\/old\/abababababab \(rehearsal: not evidence\)/);
  expect(text).toMatch(/measure +not there/);
  expect(text).not.toMatch(/models/);
  const record = JSON.parse(await shown('{"anotherKey":true}', { json: true })) as { config: unknown };
  expect(record.config).toEqual({ anotherKey: true });
});
