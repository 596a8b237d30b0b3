import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { sqliteCalls } from "../../platform/calls/sqlite.ts";
import { modelCaller, type ModelCallerOptions } from "../../platform/llm/caller.ts";
import { type Asked, chatServer, type Reply } from "./chat-server.ts";
import { processLimiters } from "./process-limiters.ts";
import { tempFolder } from "./temp-folder.ts";

const now = () => new Date("2026-01-01T00:00:00.000Z");

/** A caller over a real store, at a time that stands still; it notes each wait between tries and makes it short. */
export function callerIn(folder: string, options: Partial<ModelCallerOptions> = {}) {
  const store = sqliteCalls(join(folder, "calls.db"));
  onTestFinished(() => store.close());
  const limiters = processLimiters();
  const waits: number[] = [];
  const sleep = async (ms: number) => {
    waits.push(ms);
    await delay(1);
  };
  return { store, limiters, waits, caller: modelCaller({ store, limiters, now, sleep, random: () => 0, ...options }) };
}

/** Such a caller, and a scripted server. */
export async function callerBench(script: (asked: Asked) => Reply, options: Partial<ModelCallerOptions> = {}) {
  const server = await chatServer(script);
  onTestFinished(() => server.close());
  const folder = tempFolder();
  return { ...callerIn(folder, options), server, url: server.baseUrl, folder };
}

/** A server that writes these bytes after the head, and then ends the answer or cuts the connection. */
export async function byteServer(
  answer: (n: number) => { readonly body: Buffer; readonly bytes?: number; readonly cut?: boolean },
) {
  let n = 0;
  const server = createServer((request, response) => {
    request.resume();
    const { body, bytes = body.length, cut = false } = answer(n++);
    response.writeHead(200, { "content-type": "application/json", "content-length": String(bytes) });
    response.write(body, () => (cut ? request.socket.destroy() : response.end()));
  });
  return { url: await listening(server), asked: () => n };
}

/** The address of a server of the running test. */
export async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

/** What a promise rejects with; null when it does not. */
export const thrownBy = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  );

/** A body at status 200. */
export const jsonReply = (body: string, type = "application/json"): Reply => ({
  status: 200,
  headers: { "content-type": type },
  body,
});

/** A completion with this content, which is JSON already. */
export const completionBody = (content: string) => `{"choices":[{"finish_reason":"stop","message":{"content":${content}}}]}`;
