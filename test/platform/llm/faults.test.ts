import { createServer } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { HoldError, UnavailableError } from "../../../platform/llm/errors.ts";
import { callRequest } from "../../support/call-request.ts";
import { byteServer, callerBench, callerIn, completionBody, listening, thrownBy } from "../../support/caller-bench.ts";
import { errorReply, type Reply } from "../../support/chat-server.ts";
import { tempFolder } from "../../support/temp-folder.ts";

describe("a 429", () => {
  it.each<[string, Record<string, string>, number]>([
    ["in 5 s", { "retry-after": "5" }, 5000],
    ["in 90 s, longer than the SDK would wait", { "retry-after": "90" }, 90_000],
    ["at a date", { "retry-after": "Thu, 01 Jan 2026 00:00:20 GMT" }, 20_000],
    ["in 250 ms", { "retry-after-ms": "250" }, 250],
    ["in three hours, which is cut to ten minutes", { "retry-after": "10800" }, 600_000],
  ])("is asked again %s, when it says so, and not before", async (_, headers, ms) => {
    const { caller, waits, server, url } = await callerBench(({ n }) =>
      n === 0 ? errorReply(429, "rate_limit_exceeded", headers) : { text: "fine" },
    );
    expect((await caller.call(callRequest("x", url))).text).toBe("fine");
    expect([waits, server.asked.length]).toEqual([[ms], 2]);
  });

  it("that names no time is waited for longer each time", async () => {
    const { caller, waits, url } = await callerBench(({ n }) =>
      n < 2 ? errorReply(429, "rate_limit_exceeded") : { text: "fine" },
    );
    await caller.call(callRequest("x", url));
    expect(waits).toEqual([375, 750]);
  });

  it("on all calls in flight cuts the width once, and all are answered after it", async () => {
    const widths = new Set<number>();
    const width = 16;
    const { caller, limiters, server, url } = await callerBench(
      ({ n }) =>
        n < width
          ? ({ ...(errorReply(429, "rate_limit_exceeded", { "retry-after-ms": "50" }) as object), delayMs: 30 } as Reply)
          : { text: "fine" },
      {
        sleep: async (ms) => {
          widths.add(limiters.met.get("api")?.width ?? 0);
          await delay(ms);
        },
      },
    );
    const asked = Array.from({ length: width }, (_, turn) => caller.call(callRequest("x", url, { turn, endpoint: { width } })));
    expect((await Promise.all(asked)).map(({ text }) => text)).toEqual(asked.map(() => "fine"));
    expect(Math.min(...widths)).toBe((width * 3) / 4);
    expect(server.asked.length).toBe(2 * width);
  });
});

describe("what only a person can mend", () => {
  it.each<[string, Reply, string]>([
    ["no quota", errorReply(429, "insufficient_quota"), "quota"],
    ["a billing limit", errorReply(429, "billing_hard_limit_reached"), "quota"],
    ["no credit", errorReply(402, "payment_required"), "quota"],
    ["a wrong key", errorReply(401, "invalid_api_key"), "auth"],
    ["a key without rights", errorReply(403, "permission_denied"), "auth"],
    ["an unknown model", errorReply(404, "model_not_found"), "auth"],
  ])(
    "%s: held after one request, with the reason and what to do; asked once more when that is done",
    async (_, reply, reason) => {
      let mended = false;
      const { caller, limiters, store, waits, server, url } = await callerBench(() => (mended ? { text: "fine" } : reply));
      const error = await thrownBy(caller.call(callRequest("x", url)));
      expect(error).toBeInstanceOf(HoldError);
      expect(error).toMatchObject({ detail: { reason, remedy: expect.stringContaining("npx attune resume") } });
      expect([server.asked.length, waits, limiters.met.get("api")?.inFlight]).toEqual([1, [], 0]);
      expect(await store.spend("run-1")).toMatchObject({ calls: 0 });
      mended = true;
      expect((await caller.call(callRequest("x", url))).text).toBe("fine");
      expect(server.asked.length).toBe(2);
    },
  );
});

describe("a fault that passes", () => {
  it.each<[string, Reply]>([
    ["502", errorReply(502, "bad_gateway")],
    ["503", errorReply(503, "overloaded")],
    ["529", errorReply(529, "overloaded_error")],
    ["a proxy's 504 page", { status: 504, headers: { "content-type": "text/html" }, body: "<html>timed out</html>" }],
  ])("%s is tried again with longer waits", async (_, reply) => {
    const { caller, waits, url } = await callerBench(({ n }) => (n < 3 ? reply : { text: "fine" }));
    expect((await caller.call(callRequest("x", url))).text).toBe("fine");
    expect(waits).toEqual([375, 750, 1500]);
  });

  it("a connection cut in the middle of an answer is tried again", async () => {
    const whole = Buffer.from(completionBody('"fine"'));
    const { url, asked } = await byteServer((n) =>
      n === 0 ? { body: whole.subarray(0, 20), bytes: whole.length, cut: true } : { body: whole },
    );
    const { caller } = callerIn(tempFolder());
    expect((await caller.call(callRequest("x", url))).text).toBe("fine");
    expect(asked()).toBe(2);
  });

  it("an answer that trickles for ever runs into the timeout of the try", async () => {
    let n = 0;
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(200, { "content-type": "application/json" });
      if (n++ > 0) {
        response.end(completionBody('"fine"'));
        return;
      }
      const drops = setInterval(() => response.write(" "), 20);
      response.once("close", () => clearInterval(drops));
    });
    const url = await listening(server);
    const { caller } = callerIn(tempFolder());
    const began = performance.now();
    expect((await caller.call(callRequest("x", url, { endpoint: { timeoutMs: 300 } }))).text).toBe("fine");
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it.each<[string, (url: string) => string, RegExp]>([
    ["TLS that is none", (url) => url.replace("http:", "https:"), /EPROTO|SSL|wrong version/i],
    ["a name that can't be resolved", () => "http://no-such-host.invalid/v1", /ENOTFOUND|EAI_AGAIN/],
  ])("%s is tried again, then left to Temporal", async (_, address, cause) => {
    const { caller, store, waits, url } = await callerBench(() => ({ text: "never" }));
    const request = callRequest("x", address(url));
    const error = await thrownBy(caller.call(request));
    expect(error).toBeInstanceOf(UnavailableError);
    expect((error as Error).message).toMatch(cause);
    expect(waits).toEqual([375, 750, 1500]);
    expect(await store.spend("run-1")).toMatchObject({ calls: 0, usd: 0 });
  });
});
