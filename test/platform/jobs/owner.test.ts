import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { TestWorkflowEnvironment } from "@temporalio/testing";
import { clusterId, ownerIsOpen } from "../../../activities/jobs/owner.ts";

const binary = process.env["TEMPORAL_CLI_PATH"] ?? fileURLToPath(new URL("../../../.attune/venv/bin/temporal", import.meta.url));
let server: TestWorkflowEnvironment;

beforeAll(async () => {
  expect(existsSync(binary), `no Temporal binary at ${binary}: run the set-up first`).toBe(true);
  server = await TestWorkflowEnvironment.createLocal({ server: { executable: { type: "existing-path", path: binary } } });
});
afterAll(() => server.teardown());

it("is told by the server, and not told for another server, another namespace or none in reach", async () => {
  const { client } = server;
  const owner = { cluster: await clusterId(client), namespace: client.options.namespace, workflowId: "exp/owner/0123456789ab" };
  expect(await ownerIsOpen(client, owner)).toBe(false);
  const handle = await client.workflow.start("experiment", { workflowId: owner.workflowId, taskQueue: "nobody" });
  expect(await ownerIsOpen(client, owner)).toBe(true);
  expect(await ownerIsOpen(client, { ...owner, cluster: "another" })).toBe("unknown");
  expect(await ownerIsOpen(client, { ...owner, namespace: "another" })).toBe("unknown");
  await handle.terminate();
  expect(await ownerIsOpen(client, owner)).toBe(false);
  await client.connection.close();
  expect(await ownerIsOpen(client, owner)).toBe("unknown");
});
