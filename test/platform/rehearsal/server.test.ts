import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { tempFolder } from "../../support/temp-folder.ts";

interface Started {
  readonly url: string;
  readonly model: string;
  readonly log: string;
}

async function start(...flags: readonly string[]): Promise<Started> {
  const log = join(tempFolder(), "rehearsal.jsonl");
  const program = fileURLToPath(new URL("../../../rehearsal/main.ts", import.meta.url));
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
  await expect(fault("reset")).rejects.toThrow();
  expect((await read(await fault("empty"))).choices[0].message.content).toBe("");
  expect((await read(await fault("truncated"))).choices[0].finish_reason).toBe("length");
  expect((await read(await fault("refusal"))).choices[0].message).toMatchObject({ content: null });
  const begun = performance.now();
  await fault("latency=150");
  expect(performance.now() - begun).toBeGreaterThan(140);
  const silent = fetch(`${url}/chat/completions`, {
    method: "POST",
    headers: { "x-rehearsal-fault": "silence" },
    body: JSON.stringify({ model: "rehearsal", messages }),
    signal: AbortSignal.timeout(300),
  });
  await expect(silent).rejects.toThrow();
  expect(logLines(log).map((line) => [line["fault"], line["status"]])).toEqual([
    ["429", 429],
    ["500", 500],
    ["quota", 429],
    ["auth", 401],
    ["html", 200],
    ["reset", 0],
    ["empty", 200],
    ["truncated", 200],
    ["refusal", 200],
    [null, 200],
    ["silence", 0],
  ]);
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
