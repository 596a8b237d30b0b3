import { execa } from "execa";
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { sqliteCalls } from "../../../platform/calls/sqlite.ts";
import { modelCaller } from "../../../platform/llm/caller.ts";
import { UnavailableError } from "../../../platform/llm/errors.ts";
import { callKey } from "../../../platform/llm/key.ts";
import { callRequest } from "../../support/call-request.ts";
import { processLimiters } from "../../support/process-limiters.ts";
import { tempFolder } from "../../support/temp-folder.ts";

interface Started {
  readonly url: string;
  readonly model: string;
  readonly log: string;
}

const program = fileURLToPath(new URL("../../../rehearsal/main.ts", import.meta.url));

async function start(...flags: readonly string[]): Promise<Started> {
  const log = join(tempFolder(), "rehearsal.jsonl");
  const child = spawn(process.execPath, [program, "--port", "0", "--log", log, ...flags], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  for await (const line of createInterface({ input: child.stdout }))
    return { ...(JSON.parse(line) as { url: string; model: string }), log };
  throw new Error("The rehearsal teacher ended before it listened");
}

const messages = [
  {
    role: "system",
    content: "You are the assistant in a conversation.\nKind of conversation: Learning Skills\nDesired empathy level: 0.50 of 1",
  },
  { role: "user", content: "My streak in the language app is huge, but real spoken Spanish just does not come out of me." },
];

function chat(url: string, body: object = {}, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ model: "rehearsal", seed: 1, messages, ...body }),
  });
}

/** What a silent teacher has sent 300 ms after its headers. */
async function headersOnly(url: string) {
  const asked = request(`${url}/chat/completions`, { method: "POST", headers: { "x-rehearsal-fault": "silence" } });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.once("response", resolve).once("error", reject);
    asked.end(JSON.stringify({ model: "rehearsal", messages }));
  });
  let bytes = 0;
  let ended = false;
  response.on("data", (part: Buffer) => (bytes += part.length)).once("end", () => (ended = true));
  await pause(300);
  // It is this client that leaves.
  response.on("error", () => undefined).destroy();
  return { status: response.statusCode, type: response.headers["content-type"], bytes, ended };
}

interface Completion {
  readonly model: string;
  readonly choices: readonly [
    { readonly finish_reason: string; readonly message: { readonly content: string | null; readonly refusal: string | null } },
  ];
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number; readonly total_tokens: number };
}
const read = async (answer: Response) => (await answer.json()) as Completion;
const logLines = (file: string) =>
  (existsSync(file) ? readFileSync(file, "utf8") : "")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

it("answers as OpenAI's API does, the same to the same request", async () => {
  const { url, model, log } = await start();
  expect(model).toMatch(/^rehearsal@[0-9a-f]{8}$/);
  const models = (await (await fetch(`${url}/models`)).json()) as { data: { id: string }[] };
  expect(models.data.map((entry) => entry.id)).toEqual([model]);
  expect((await fetch(url.replace("/v1", "/health"))).status).toBe(200);

  const first = await read(await chat(url, {}, { "x-attune-key": "k1" }));
  const again = await read(await chat(url, { model }, { "x-attune-key": "k2" }));
  expect(first.model).toBe(model);
  expect(first.choices).toEqual(again.choices);
  expect(first.usage.total_tokens).toBe(first.usage.prompt_tokens + first.usage.completion_tokens);
  const short = await read(await chat(url, { max_tokens: 5 }));
  expect(short.choices[0].finish_reason).toBe("length");
  expect(short.usage.completion_tokens).toBe(5);
  expect(logLines(log).slice(0, 2)).toMatchObject([{ key: "k1", role: "assistant", status: 200, fault: null }, { key: "k2" }]);
});

it("refuses what it can't do with a reason", async () => {
  const { url } = await start();
  expect((await chat(url, { model: "gpt-9" })).status).toBe(404);
  for (const body of [{ messages: [] }, { stream: true }, { n: 2 }, { messages: [{ role: "user" }] }])
    expect((await chat(url, body)).status).toBe(400);
  expect((await fetch(`${url}/embeddings`)).status).toBe(404);
});

it("makes faults on request, and logs each", async () => {
  const { url, log } = await start();
  const fault = (kind: string) => chat(url, {}, { "x-rehearsal-fault": kind, "x-attune-key": kind });
  expect((await fault("429")).headers.get("retry-after")).toBe("1");
  expect((await fault("500")).status).toBe(500);
  expect(await (await fault("quota")).json()).toMatchObject({ error: { code: "insufficient_quota" } });
  expect((await fault("auth")).status).toBe(401);
  expect(await (await fault("html")).text()).toContain("<html>");
  const cut = await fault("broken-body");
  expect([cut.status, cut.headers.get("content-type")]).toEqual([200, "application/json"]);
  const begins = await cut.text();
  expect(begins).toMatch(/^\{"id":"chatcmpl-.*"content":"/);
  expect(() => JSON.parse(begins) as unknown).toThrow();
  await expect(fault("reset")).rejects.toThrow();
  expect((await read(await fault("empty"))).choices[0].message.content).toBe("");
  expect((await read(await fault("truncated"))).choices[0].finish_reason).toBe("length");
  expect((await read(await fault("refusal"))).choices[0].message).toMatchObject({ content: null });
  const begun = performance.now();
  await fault("latency=150");
  expect(performance.now() - begun).toBeGreaterThan(140);
  const silent = await headersOnly(url);
  expect(silent).toEqual({ status: 200, type: "application/json", bytes: 0, ended: false });
  expect(logLines(log).map((line) => [line["fault"], line["status"]])).toEqual([
    ["429", 429],
    ["500", 500],
    ["quota", 429],
    ["auth", 401],
    ["html", 200],
    ["broken-body", 200],
    ["reset", 0],
    ["empty", 200],
    ["truncated", 200],
    ["refusal", 200],
    [null, 200],
    ["silence", 0],
  ]);
});

it("spoils the content of a whole completion, by what was asked for", async () => {
  const { url, log } = await start();
  const malformed = async (body: object) => {
    const [choice] = (await read(await chat(url, body, { "x-rehearsal-fault": "malformed" }))).choices;
    expect(choice.finish_reason).toBe("stop");
    return choice.message.content ?? "";
  };
  const plain = (await read(await chat(url))).choices[0].message.content;
  expect(await malformed({})).toBe(`{"text": ${plain}`);
  const schema = { type: "json_schema", json_schema: { name: "judgement", schema: { type: "object" } } };
  const judged = await malformed({ response_format: schema });
  expect(judged).toMatch(/^```json \{"/);
  expect(() => JSON.parse(judged.replace("```json ", "")) as unknown).toThrow();
  expect(logLines(log).map((line) => line["fault"])).toEqual([null, "malformed", "malformed"]);
});

it("has a call whose answers break off made again, and none of them recorded", async () => {
  const store = sqliteCalls(join(tempFolder(), "calls.db"));
  onTestFinished(() => store.close());
  const caller = modelCaller({ store, limiters: processLimiters(), sleep: async () => undefined });
  const faults = (log: string) => logLines(log).map((line) => line["fault"]);

  const always = await start("--faults", "broken-body=1");
  const asked = callRequest("hello", always.url, { model: "rehearsal" });
  await expect(caller.call(asked)).rejects.toThrow(UnavailableError);
  expect(faults(always.log)).toEqual(Array.from({ length: 4 }, () => "broken-body"));
  expect(await store.get(callKey({ ...asked, provider: asked.endpoint.provider }))).toBeNull();

  const sometimes = await start("--faults", "broken-body=0.3,seed=1");
  const ask = (turn: number) => caller.call(callRequest("hello", sometimes.url, { model: "rehearsal", turn }));
  for (let turn = 0; turn < 12; turn++) expect((await ask(turn)).text).toMatch(/^[A-Z].*\w/);
  expect(faults(sometimes.log).filter((fault) => fault === null)).toHaveLength(12);
  expect(faults(sometimes.log).filter((fault) => fault === "broken-body").length).toBeGreaterThan(2);
});

it("blows a storm once: after so many requests each is refused for so long, then none", async () => {
  const storm = ["--storm-after-calls", "3", "--storm-seconds", "1"];
  const { url, log } = await start(...storm, "--faults", "empty=0.5,seed=7");
  const ask = (key: string, headers: Record<string, string> = {}) => chat(url, {}, { "x-attune-key": key, ...headers });
  const statuses = async (count: number) => {
    const answers = await Promise.all(Array.from({ length: count }, (_, i) => ask(`k${i}`)));
    return answers.map(({ status }) => status);
  };
  expect(await statuses(3)).toEqual([200, 200, 200]);
  const begun = performance.now();
  const refused = await ask("k0", { "x-rehearsal-fault": "500" });
  expect([refused.status, refused.headers.get("retry-after"), refused.headers.get("retry-after-ms")]).toEqual([429, "1", null]);
  expect(await statuses(10)).toEqual(Array.from({ length: 10 }, () => 429));
  while ((await ask("k0")).status === 429) await pause(20);
  expect(performance.now() - begun).toBeGreaterThan(900);
  expect(performance.now() - begun).toBeLessThan(5000);
  expect(new Set(await statuses(10))).toEqual(new Set([200]));
  const faults = logLines(log).map((line) => line["fault"]);
  expect(faults.slice(3, 14)).toEqual(Array.from({ length: 11 }, () => "storm"));
  expect(new Set(faults.slice(-10))).toEqual(new Set(["empty", null]));
});

it.each([
  [["--storm-after-calls", "3"], /needs both --storm-after-calls.*and --storm-seconds/],
  [["--storm-after-calls", "3", "--storm-seconds", "0"], /--storm-seconds above 0/],
  [["--faults", "storm=0.1"], /"storm=0.1" is not known/],
])("does not start with %j, and says why", async (flags, why) => {
  const { exitCode, stderr } = await execa(process.execPath, [program, ...flags], { reject: false });
  expect([exitCode, stderr]).toEqual([2, expect.stringMatching(why)]);
});

it("draws faults by seed: transport faults per attempt, content faults per key", async () => {
  const flags = ["--faults", "500=0.4,empty=0.3,seed=7"] as const;
  const outcomes = async (url: string) => {
    const found: string[] = [];
    for (let key = 0; key < 12; key++) {
      for (let attempt = 0; attempt < 6; attempt++) {
        const answer = await chat(url, {}, { "x-attune-key": `key-${key}` });
        found.push(answer.status === 500 ? "500" : (await read(answer)).choices[0].message.content === "" ? "empty" : "ok");
      }
    }
    return found;
  };
  const [one, other] = [await start(...flags), await start(...flags)];
  const found = await outcomes(one.url);
  expect(await outcomes(other.url)).toEqual(found);
  expect(new Set(found)).toEqual(new Set(["500", "empty", "ok"]));
  for (let key = 0; key < 12; key++)
    expect(new Set(found.slice(key * 6, key * 6 + 6).filter((outcome) => outcome !== "500")).size).toBeLessThanOrEqual(1);
});

it("keeps up with a busy run", async () => {
  const { url } = await start();
  await Promise.all(Array.from({ length: 16 }, (_, lane) => chat(url, { seed: lane })));
  const begun = performance.now();
  await Promise.all(Array.from({ length: 400 }, (_, seed) => chat(url, { seed }).then((answer) => answer.text())));
  expect(400 / ((performance.now() - begun) / 1000)).toBeGreaterThan(100);
});
