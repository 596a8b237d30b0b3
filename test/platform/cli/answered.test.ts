import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sqliteCalls } from "../../../platform/calls/sqlite.ts";
import { storedCall } from "../../support/stored-call.ts";
import { bench, lines, setUp, tearDown } from "./bench.ts";

beforeAll(setUp);
afterAll(tearDown);

/** Records answers of a run's roles, as its llm worker does. */
async function answer(home: string, run: string, ...spoken: readonly (readonly [role: string, model: string, print: string])[]) {
  const store = sqliteCalls(join(home, "calls.db"));
  for (const [n, [role, model, fingerprint]] of spoken.entries()) {
    const labels = { run, stage: n === 0 ? "converse" : "steer", context: "distress", arm: "" };
    await store.put(storedCall(`${role} ${n}`, { labels, role, model, fingerprint }));
  }
  await store.close();
}

test("the status of an open run says when a role is answered by another model, by several, or under several fingerprints", async () => {
  const { run, attune, home } = await bench();
  await run("held", "--json");
  const status = async () => attune("status", "held");
  const [{ digest } = { digest: "" }] = lines((await attune("status", "held", "--json")).stdout) as { readonly digest: string }[];
  expect((await status()).stdout).not.toMatch(/Warning|Note/);

  // As asked for: the provider's list says rehearsal@12345678.
  await answer(home, digest, ["teacher", "rehearsal@12345678", "fp-1"]);
  expect((await status()).stdout).not.toMatch(/Warning|Note/);

  await answer(
    home,
    digest,
    ["judge", "other", "fp-1"],
    ["simulatedUser", "rehearsal@12345678", "fp-1"],
    ["simulatedUser", "rehearsal@87654321", "fp-2"],
    ["teacher", "rehearsal@12345678", "fp-\u001b[2J"],
  );
  const { stdout, exitCode } = await status();
  expect(exitCode).toBe(4);
  expect(stdout).toMatch(
    /^Warning: 2 models answered as simulatedUser, asked for as rehearsal@12345678: rehearsal@12345678 \(1 answer, steer\), rehearsal@87654321 \(1 answer, steer\)$/m,
  );
  expect(stdout).toMatch(/^Warning: judge was asked for as rehearsal@12345678 and answered by other \(1 answer, converse\)$/m);
  expect(stdout).toMatch(
    /^Note: rehearsal@12345678 answered as teacher under 2 fingerprints: fp-1 \(1 answer, converse\), fp-\ufffd/m,
  );
  const [told] = lines((await attune("status", "held", "--json")).stdout);
  expect(told?.["answered"]).toMatchObject([{ role: "teacher", state: "as asked" }, { state: "mix" }, { state: "other" }]);
  await attune("cancel", "held");
});
