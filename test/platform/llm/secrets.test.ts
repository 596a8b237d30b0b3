import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DefaultFailureConverter, defaultPayloadConverter } from "@temporalio/common";
import { describe, expect, it, onTestFinished } from "vitest";
import { toFailure } from "../../../activities/failures.ts";
import { callRequest } from "../../support/call-request.ts";
import { callerBench, completionBody, jsonReply, thrownBy } from "../../support/caller-bench.ts";
import { type Reply } from "../../support/chat-server.ts";

describe("a key that a provider echoes", () => {
  const canary = "sk-canary-0123456789abcdef";
  const echoes: Readonly<Record<string, Reply>> = {
    "401": {
      status: 401,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ error: { message: `Incorrect API key provided: ${canary}`, code: "invalid_api_key" } }),
    },
    "400": {
      status: 400,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ error: { message: `Bearer ${canary}`, code: "bad" } }),
    },
    "a filter's 400": {
      status: 400,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ error: { message: canary, code: "content_filter" } }),
    },
    "500": { status: 500, headers: { "content-type": "text/plain", "x-echo": canary }, body: `authorization: Bearer ${canary}` },
    "no completion": jsonReply(`<html>${canary}</html>`),
    "an answer": jsonReply(completionBody(JSON.stringify(`Your key is ${canary}.`))),
  };

  it.each(Object.entries(echoes))("in %s stands in no failure, heartbeat or store", async (_, reply) => {
    process.env["ATTUNE_TEST_KEY"] = canary;
    onTestFinished(() => void delete process.env["ATTUNE_TEST_KEY"]);
    const { caller, store, server, url, folder } = await callerBench(() => reply);
    const told: string[] = [];
    const request = callRequest("x", url, { endpoint: { apiKeyEnv: "ATTUNE_TEST_KEY" }, onRetry: (cause) => told.push(cause) });
    let answer: unknown = null;
    const error = await thrownBy(caller.call(request).then((found) => (answer = found)));
    expect(server.asked[0]?.headers.authorization).toBe(`Bearer ${canary}`);
    const failure = new DefaultFailureConverter().errorToFailure(toFailure(error), defaultPayloadConverter);
    const payloads = JSON.stringify(failure, (__, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString() : value,
    );
    expect(`${payloads}${JSON.stringify(answer)}${told.join("\n")}`).not.toContain(canary);
    await store.close();
    for (const name of readdirSync(folder)) expect(readFileSync(join(folder, name)).includes(canary), name).toBe(false);
  });
});
