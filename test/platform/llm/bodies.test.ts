import { describe, expect, it } from "vitest";
import { UnavailableError } from "../../../platform/llm/errors.ts";
import { callRequest } from "../../support/call-request.ts";
import { byteServer, callerBench, callerIn, completionBody, jsonReply, thrownBy } from "../../support/caller-bench.ts";
import { tempFolder } from "../../support/temp-folder.ts";

describe("200 with something wrong in it", () => {
  it.each<[string, string]>([
    ["null choices", '{"choices":null}'],
    ["a null choice", '{"choices":[null]}'],
    ["no message", '{"choices":[{"finish_reason":"stop"}]}'],
    ["content that is no text", completionBody('{"a":1}')],
    ["20 MB", completionBody(`"${"x".repeat(20 * 2 ** 20)}"`)],
  ])("%s is tried again, a few times at most", async (_, body) => {
    let broken = true;
    const { caller, waits, store, server, url } = await callerBench(() => (broken ? jsonReply(body) : { text: "fine" }));
    expect(await thrownBy(caller.call(callRequest("x", url)))).toBeInstanceOf(UnavailableError);
    expect([server.asked.length, waits.length]).toEqual([4, 3]);
    expect(await store.spend("run-1")).toMatchObject({ calls: 0 });
    broken = false;
    expect((await caller.call(callRequest("x", url))).text).toBe("fine");
  });

  it("a completion under another content type is one all the same", async () => {
    const { caller, server, url } = await callerBench(() => jsonReply(completionBody('"fine"'), "text/plain"));
    expect((await caller.call(callRequest("x", url))).text).toBe("fine");
    expect(server.asked.length).toBe(1);
  });

  it("NUL, lone surrogates and bytes that are no UTF-8 never reach a record", async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"choices":[{"message":{"content":"a'),
      Buffer.from([0xff, 0xc3]),
      Buffer.from('b\\u0000c\\ud800d"}}]}'),
    ]);
    const { url } = await byteServer(() => ({ body: bytes }));
    const { caller, store } = callerIn(tempFolder());
    const { key, text } = await caller.call(callRequest("x", url));
    expect(text).toBe("a\ufffd\ufffdbc\ufffdd");
    const stored = await store.get(key);
    expect(stored?.text).toBe(text);
    expect([stored?.raw.isWellFormed(), stored?.raw.includes("\0")]).toEqual([true, false]);
  });
});
