import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";
import { TestWorkflowEnvironment } from "@temporalio/testing";
import { clusterId, ownerLookup } from "../../../workers/owners.ts";

const binary = process.env["TEMPORAL_CLI_PATH"] ?? fileURLToPath(new URL("../../../.attune/venv/bin/temporal", import.meta.url));
let server: TestWorkflowEnvironment;

beforeAll(async () => {
  expect(existsSync(binary), `no Temporal binary at ${binary}: run the set-up first`).toBe(true);
  server = await TestWorkflowEnvironment.createLocal({ server: { executable: { type: "existing-path", path: binary } } });
});

it("is told by the server, and not told for another server, another namespace or none in reach", async () => {
  const { client, nativeConnection: connection } = server;
  const { namespace } = client.options;
  const cluster = await clusterId(connection);
  const isOpen = ownerLookup({ connection, cluster, namespace });
  const owner = { cluster, namespace, workflowId: "exp/owner/0123456789ab" };
  expect(await isOpen(owner)).toBe(false);
  const handle = await client.workflow.start("experiment", { workflowId: owner.workflowId, taskQueue: "nobody" });
  expect(await isOpen(owner)).toBe(true);
  expect(await isOpen({ ...owner, cluster: "another" })).toBe("unknown");
  expect(await isOpen({ ...owner, namespace: "another" })).toBe("unknown");
  await handle.terminate();
  expect(await isOpen(owner)).toBe(false);
  await server.teardown();
  expect(await isOpen(owner)).toBe("unknown");
});
