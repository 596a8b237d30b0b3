import type { Client } from "@temporalio/client";
import { expect, test } from "vitest";
import { awaitClose, look } from "../../../cli/server/watch.ts";
import { progressText } from "../../../cli/view/progress.ts";
import { queuesFor } from "../../../contract/queues.ts";

const queues = queuesFor("q");
const problems = ["category=WorkflowTaskFailed", "cause=WorkflowTaskFailedCauseNonDeterministicError"];
const named = (name: string, searchAttributes = {}) => ({ status: { name }, searchAttributes, startTime: new Date(0) });

/** A server with a worker on every queue; each `describe` gives the next of `descriptions`, and a query is never answered. */
function server(...descriptions: readonly (object | Error)[]): Client {
  const left = [...descriptions];
  const describe = async () => {
    const next = left.length > 1 ? left.shift() : left[0];
    if (next instanceof Error) throw next;
    return next;
  };
  const query = async () => {
    throw Object.assign(new Error("no worker answers"), { code: 9 });
  };
  return {
    workflow: { getHandle: () => ({ describe, query }) },
    connection: {
      workflowService: { describeTaskQueue: async () => ({ pollers: [{}] }) },
      withDeadline: (_: number, work: () => unknown) => work(),
    },
    options: { namespace: "default" },
  } as unknown as Client;
}

test("a run whose workflow code fails is stuck, and says so", async () => {
  const snapshot = await look(server(named("RUNNING", { TemporalReportedProblems: problems })), "exp/a/b", queues);
  expect(snapshot).toMatchObject({ status: "RUNNING", stuck: "NonDeterministicError", progress: null });
  expect(progressText(snapshot, { name: "a", now: new Date() })).toMatch(
    /^Stuck: its workflow code fails \(NonDeterministicError\).*control worker's lines say why/,
  );
  expect(await look(server(named("RUNNING")), "exp/a/b", queues)).toMatchObject({ stuck: null });
});

test("waiting for the end stops where nothing can move the run, and fails when the server is lost", async () => {
  const stuck = named("RUNNING", { TemporalReportedProblems: problems });
  expect(await awaitClose(server(named("RUNNING"), stuck), "exp/a/b", queues)).toMatchObject({ status: "RUNNING" });
  expect(await awaitClose(server(named("RUNNING"), named("CANCELLED")), "exp/a/b", queues)).toMatchObject({
    status: "CANCELLED",
  });
  const lost = Object.assign(new Error("unavailable"), { code: 14 });
  await expect(awaitClose(server(named("RUNNING"), lost), "exp/a/b", queues)).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringMatching(/stopped answering/),
  });
});
