import { createServer } from "node:http";
import { expect, it } from "vitest";
import { openAiExchange } from "../../../platform/llm/exchange.ts";
import { keepAliveFetch } from "../../../platform/llm/http.ts";
import { callRequest } from "../../support/call-request.ts";
import { completionBody, listening } from "../../support/caller-bench.ts";

it("calls one after the other go through one connection, failed ones too", async () => {
  let sockets = 0;
  let asked = 0;
  const server = createServer((request, response) => {
    request.resume().once("end", () => response.writeHead((asked += 1) % 5 === 0 ? 429 : 200).end(completionBody('"fine"')));
  });
  server.on("connection", () => (sockets += 1));
  const url = await listening(server);
  const exchange = openAiExchange();
  let failed = 0;
  for (let turn = 0; turn < 20; turn += 1) await exchange(callRequest("x", url, { turn }), `${turn}`).catch(() => (failed += 1));
  expect([asked, failed, sockets]).toEqual([20, 4, 1]);
});

it("an answer keeps its status, its bytes and its headers, repeated ones too", async () => {
  const bytes = Buffer.from([0, 255, 104, 105]);
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(418, { "retry-after": "7", "x-many": ["a", "b"], "set-cookie": ["c=1", "d=2"] }).end(bytes);
  });
  const response = await keepAliveFetch()(await listening(server));
  expect([response.status, response.headers.get("retry-after"), response.headers.get("x-many")]).toEqual([418, "7", "a, b"]);
  expect(response.headers.getSetCookie()).toEqual(["c=1", "d=2"]);
  expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
});
