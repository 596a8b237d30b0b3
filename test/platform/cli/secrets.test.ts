import { spawn } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { projectRoot } from "../../support/attune.ts";
import { type Asked, chatServer, errorReply, type Reply } from "../../support/chat-server.ts";
import { ownTurns, play } from "../../support/stage-bench.ts";
import { bench, client, setUp, tearDown } from "./bench.ts";

beforeAll(setUp);
afterAll(tearDown);

const canary = "sk-Canary+0123456789/abcdef==";
/** The forms in which it could be found again. */
const forms = [canary, encodeURIComponent(canary), JSON.stringify(canary).replaceAll("/", "\\/").slice(1, -1), base64(canary)];
/** No name that a mask would know by itself. */
const [keyEnv, urlEnv] = ["ATTUNE_TEST_ACCESS", "ATTUNE_TEST_ADDRESS"];

function base64(text: string): string {
  return Buffer.from(text).toString("base64").replace(/=+$/, "");
}

/** A worker process as the stack starts it; answers all that it has printed. */
function worker(role: string, env: Readonly<Record<string, string>>): () => string {
  const child = spawn(process.execPath, [join(projectRoot, "workers", "main.ts"), role], {
    cwd: projectRoot,
    env: { ...process.env, ...env },
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (printed += part.toString()));
  onTestFinished(async () => {
    child.kill("SIGTERM");
    await ended;
  });
  return () => printed;
}

/** Everything that the server keeps of workflows whose id holds the name: histories, memos, attributes. */
async function keptByServer(name: string): Promise<string> {
  const texts: string[] = [];
  const plain = (_: string, value: unknown): unknown =>
    value instanceof Uint8Array
      ? Buffer.from(value).toString()
      : typeof value === "bigint"
        ? String(value)
        : typeof value === "object" && value !== null && "type" in value && value.type === "Buffer" && "data" in value
          ? Buffer.from(value.data as number[]).toString()
          : value;
  for await (const found of client().workflow.list()) {
    if (!found.workflowId.includes(name)) continue;
    const handle = client().workflow.getHandle(found.workflowId, found.runId);
    const described = await handle.describe();
    texts.push(JSON.stringify([(await handle.fetchHistory()).events, described.raw], plain));
  }
  return texts.join("\n");
}

/** All files below a folder, links not followed. */
function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .filter((path) => statSync(path).isFile());
}

type Left = readonly (readonly [where: string, content: string | Buffer])[];

function expectNoKeyIn(left: Left): void {
  for (const [where, content] of left)
    for (const form of forms) expect(content.includes(form), `${where} holds ${form}`).toBe(false);
}

/** A run of six conversations a context up to the end of `converse`, with workers of its own, asking this provider with the planted key. */
async function runWith(script: (asked: Asked) => Reply, { workerAddress = (url: string) => url } = {}) {
  const server = await chatServer(script);
  onTestFinished(() => server.close());
  const stack = await bench({ worker: false });
  const secrets = { [keyEnv]: canary, [urlEnv]: server.baseUrl };
  Object.assign(process.env, secrets);
  onTestFinished(() => {
    for (const name of Object.keys(secrets)) delete process.env[name];
  });
  const env = { ...stack.env, ...secrets, [urlEnv]: workerAddress(server.baseUrl) };
  const printed = [worker("control", env), worker("llm", env)];
  const said: string[] = [];
  const told = async (command: ReturnType<typeof stack.attune>) => {
    const { stdout, stderr, exitCode } = await command;
    said.push(stdout, stderr);
    return exitCode;
  };
  const settings = [
    `providers.rehearsal.baseUrlEnv=${urlEnv}`,
    `providers.rehearsal.apiKeyEnv=${keyEnv}`,
    "batch.minKeptShare=0.5",
  ];
  const name = `canary-${stack.queues.control}`;
  return {
    server,
    name,
    attune: (...args: string[]) => told(stack.attune(...args)),
    start: () => told(stack.run(name, "--until", "converse", ...settings.flatMap((set) => ["--set", set]))),
    /** All that the run leaves, piece by piece. */
    left: async (): Promise<Left> => [
      ["the server", await keptByServer(name)],
      ["output of commands", said.join("\n")],
      ["output of workers", printed.map((text) => text()).join("\n")],
      ...filesBelow(stack.home).map((file) => [file, readFileSync(file)] as const),
    ],
  };
}

/** Says other words in every conversation. */
const answer = play({
  user: (asked) => `Message ${ownTurns(asked)} about ${String(asked.headers["x-attune-key"]).match(/.{4}/g)?.join(" ")}.`,
  assistant: (asked) => `Your key is ${canary}, ${String(asked.headers["x-attune-key"])}.`,
});
const json = (status: number, body: object, more = {}): Reply => ({
  status,
  headers: { "content-type": "application/json", ...more },
  body: JSON.stringify(body),
});

test("a key that a provider echoes in all sorts of answers stands in nothing that a run leaves", async () => {
  const echoes: Reply[] = [
    { status: 500, headers: { "content-type": "text/plain", "x-echo": canary }, body: `authorization: Bearer ${canary}` },
    { status: 200, headers: { "content-type": "text/html" }, body: `<html>${canary}</html>` },
    json(200, { error: { message: canary, code: canary, type: canary } }),
    json(429, { error: { message: `slow down, ${canary}`, code: "rate_limit_exceeded" } }, { "retry-after": "1" }),
    json(400, { error: { message: `not with ${canary}`, code: canary, param: canary } }),
    // Some writers of JSON escape letters that need no escape.
    {
      status: 200,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        choices: [{ finish_reason: "stop", message: { role: "assistant", content: `The key: ${canary}` } }],
      }).replaceAll("+", "\\u002B"),
    },
  ];
  let refuses: boolean | null = null;
  const { server, name, attune, start, left } = await runWith((asked) => {
    refuses ??= asked.n >= 30 ? true : null;
    if (refuses === true) return errorReply(401, `Incorrect API key provided: ${canary}`);
    return (asked.n > 8 ? echoes.pop() : undefined) ?? answer(asked);
  });
  expect(await start()).toBe(4);
  refuses = false;
  expect(await attune("resume", name)).toBe(0);
  expect(await attune("status", name, "--follow")).toBe(0);
  expect(echoes).toEqual([]);
  expect(new Set(server.asked.map(({ headers }) => headers.authorization))).toEqual(new Set([`Bearer ${canary}`]));

  const found = await left();
  // The search finds what is there: masked echoes in all of it.
  for (const what of ["the server", "output of commands", "output of workers"])
    expect(found.find(([where]) => where === what)?.[1], what).toContain("***");
  expect(found.some(([where, content]) => where.endsWith(".jsonl") && content.includes("Your key is ***"))).toBe(true);
  expect(found.map(([where]) => where).join()).toMatch(/calls\.db.*records\.db/);
  expectNoKeyIn(found);
});

test("a key in the address that the environment gives is refused before anything starts; one that only the workers are given goes no further", async () => {
  const within = (url: string) => url.replace("://", `://user:${encodeURIComponent(canary)}@`);
  const { attune, start, left, server, name } = await runWith(answer, { workerAddress: within });
  process.env[urlEnv] = within(server.baseUrl);
  expect(await start()).toBe(3);
  process.env[urlEnv] = server.baseUrl;
  expect(await start()).toBe(0);
  expect(await attune("status", name)).toBe(0);
  expect(server.asked.length).toBeGreaterThan(12);
  expectNoKeyIn(await left());
});
