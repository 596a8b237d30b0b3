import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { readTuning, tuningKey } from "../../../platform/llm/shares/tuning.ts";
import { sqliteRecords } from "../../../platform/records/sqlite.ts";
import { projectRoot } from "../../support/attune.ts";
import { tempFolder } from "../../support/temp-folder.ts";

/** A data directory whose provider `api` a worker called just now. */
async function dataFolder() {
  const home = tempFolder();
  const records = sqliteRecords(join(home, "records.db"));
  const held = { calls: 16, requestsPerMinute: null, tokensPerMinute: null };
  await records.put("ceiling/api", { w: { held, demand: 9, inFlight: 9, width: 12, at: Date.now() + 60_000 } }, null);
  records.close();
  const attune = (...args: string[]) =>
    execa("node", [join(projectRoot, "bin", "attune.mjs"), "width", ...args], {
      cwd: projectRoot,
      env: { ATTUNE_HOME: home, TEMPORAL_ADDRESS: "127.0.0.1:1" },
      reject: false,
      stdin: "ignore",
    });
  const stored = async () => {
    const open = sqliteRecords(join(home, "records.db"));
    const value = readTuning((await open.get(tuningKey("api")))?.value);
    open.close();
    return value;
  };
  return { attune, stored };
}

test("width sets limits one by one, shows them with what is in flight, and takes all away", async () => {
  const { attune, stored } = await dataFolder();
  expect((await attune("api", "--calls", "8", "--requests-per-minute", "none")).exitCode).toBe(0);
  const shown = await attune("api", "--tokens-per-minute", "90000");
  expect(shown.stdout).toContain("api: 9 calls in flight, 12 may be");
  expect(shown.stdout).toContain(
    "api: 8 calls in flight at most, no limit of requests a minute, 90000 tokens a minute, set over",
  );
  expect(await stored()).toMatchObject({ calls: 8, requestsPerMinute: null, tokensPerMinute: 90_000 });
  const reset = await attune("api", "--reset", "--json");
  expect(JSON.parse(reset.stdout)).toMatchObject({ providers: [{ provider: "api", inFlight: 9 }], set: [] });
  expect(await stored()).toBeNull();
}, 60_000);

test.each([
  [["apy", "--calls", "8"], /No provider apy is known here; did you mean api\?/],
  [["api", "--calls", "0"], /--calls is 0; give a whole number from 1/],
  [["api", "--calls", "none"], /--calls is none/],
  [["api", "--calls", "8", "--reset"], /--reset takes every set limit away/],
  [["--calls", "8"], /Name the provider/],
])("width %j is refused in words, and nothing is set", async (args, message) => {
  const { attune, stored } = await dataFolder();
  const { exitCode, stderr } = await attune(...args);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(message);
  expect(await stored()).toBeNull();
});
