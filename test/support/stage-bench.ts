import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MockActivityEnvironment } from "@temporalio/testing";
import { DefaultLogger } from "@temporalio/worker";
import { onTestFinished } from "vitest";
import { parse } from "yaml";
import type { Deps } from "../../activities/deps.ts";
import { resolvedExperiment } from "../../configs/schema/resolved.ts";
import type { UnitHeartbeat } from "../../contract/activities.ts";
import type { Ref } from "../../contract/ref.ts";
import type { BatchGroup, RunRef, UnitInput } from "../../contract/units.ts";
import { localArtifacts } from "../../platform/artifacts/local.ts";
import { sqliteCalls } from "../../platform/calls/sqlite.ts";
import { modelCaller } from "../../platform/llm/caller.ts";
import { sqliteRecords } from "../../platform/records/sqlite.ts";
import { type Asked, chatServer, type Reply } from "./chat-server.ts";
import { processLimiters } from "./process-limiters.ts";
import { tempFolder } from "./temp-folder.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const nowhere: Ref = { uri: "nothing", sha256: "0".repeat(64), bytes: 0, rows: null };

export const run: RunRef = { name: "bench", digest: "cd".repeat(32), config: nowhere, epoch: "" };

const contextIds = ["distress", "learning", "career", "writing"];

interface Options {
  readonly script: (asked: Asked) => Reply;
  /** Sections of the experiment that differ from the bench's. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** JSONL; the shipped illustrative data when absent. */
  readonly humanData?: string;
}

/** Real stores in a folder of the test, the shipped contexts and prompts, and a scripted server in all roles. */
export async function stageBench({ script, settings = {}, humanData }: Options) {
  const server = await chatServer(script);
  const home = tempFolder();
  const artifacts = localArtifacts(join(home, "artifacts"));
  const records = sqliteRecords(join(home, "records.db"));
  const callStore = sqliteCalls(join(home, "calls.db"));
  onTestFinished(async () => {
    await server.close();
    await callStore.close();
    records.close();
  });
  const data = humanData ?? readFileSync(join(root, "configs/data/illustrative.jsonl"), "utf8");
  const model = { provider: "scripted", model: "scripted" };
  const config = resolvedExperiment.parse({
    experiment: {
      name: "bench",
      contexts: contextIds,
      providers: { scripted: { baseUrl: server.baseUrl } },
      models: { teacher: model, simulatedUser: model, judge: model },
      backbones: [{ id: "tiny", base_model: "example/Tiny", weights: "tiny" }],
      encoder: { id: "mini", weights: "minilm" },
      measure: { humanData: "configs/data/illustrative.jsonl", illustrative: true },
      steer: { minPairs: 1 },
      reward: { labels: { guide: "a.jsonl", evaluator: "b.jsonl", anchors: "c.jsonl" }, author: "test" },
      evaluate: { split: "test", conversations: 2, turns: 2, arms: ["baseline", "system_prompt", "adapter", "wrong_adapter"] },
      ...settings,
      // A play says the same to everyone.
      converse: {
        conversations: 3,
        turns: 2,
        nearDuplicates: { similarity: null },
        ...(settings["converse"] as object | undefined),
      },
    },
    contexts: contextIds.map((id) => parse(readFileSync(join(root, `configs/contexts/${id}.yaml`), "utf8")) as unknown),
    prompts: Object.fromEntries(
      readdirSync(join(root, "configs/prompts")).map((file) => [
        file.replace(".md", ""),
        readFileSync(join(root, "configs/prompts", file), "utf8"),
      ]),
    ),
    rubric: readFileSync(join(root, "configs/rubrics/empathy.md"), "utf8"),
    inputs: {
      humanData: await artifacts.put("inputs/human.jsonl", data),
      guideLabels: nowhere,
      evaluatorLabels: nowhere,
      anchors: nowhere,
    },
    answeredModels: {},
    weights: {},
    codeVersion: "test",
  });
  const warnings: string[] = [];
  const deps: Deps = {
    artifacts,
    records,
    callStore,
    caller: modelCaller({ store: callStore, limiters: processLimiters(), random: () => 0 }),
    config: async () => config,
    env: { home, projectRoot: root, python: "python3", codeVersion: "test", now: () => new Date() },
    log: { info: () => undefined, warn: (message) => void warnings.push(message), error: () => undefined },
  };
  /** What another process has: connections of its own to the same stores. */
  const elsewhere = (): Deps => {
    const store = sqliteCalls(join(home, "calls.db"));
    const rows = sqliteRecords(join(home, "records.db"));
    onTestFinished(async () => {
      await store.close();
      rows.close();
    });
    return {
      ...deps,
      records: rows,
      callStore: store,
      caller: modelCaller({ store, limiters: processLimiters(), random: () => 0 }),
    };
  };
  return { deps, config, server, warnings, elsewhere };
}

export function unitInput(group: BatchGroup, unit: number, more: Partial<UnitInput> = {}): UnitInput {
  return { run, group, unit, sampleLimit: 3, allowance: { calls: null, usd: null }, inputs: {}, ...more };
}

/** Runs one attempt of an activity. */
export async function attempt<Input, Output>(
  activity: (input: Input) => Promise<Output>,
  input: Input,
  beats: UnitHeartbeat[] = [],
): Promise<Output> {
  const env = new MockActivityEnvironment({}, { logger: new DefaultLogger("ERROR", () => undefined) });
  env.on("heartbeat", (beat: UnitHeartbeat) => beats.push(beat));
  return env.run(activity, input);
}

/** Lets a play answer by role, as the system message tells it. */
export function play(lines: {
  user?: (asked: Asked) => string;
  assistant?: (asked: Asked) => Exclude<Reply, string> | string;
  judge?: (asked: Asked) => string;
  student?: (asked: Asked) => Exclude<Reply, string> | string;
  persona?: (asked: Asked) => string;
}): (asked: Asked) => Reply {
  return (asked) => {
    const system = asked.body.messages[0]?.content ?? "";
    const said = system.startsWith("You invent people")
      ? (lines.persona?.(asked) ?? '{"plausible": true, "reason": "fits", "prose": "A calm person."}')
      : system.startsWith("You play the person")
        ? (lines.user?.(asked) ?? `Message ${ownTurns(asked)} about something new: ${words[ownTurns(asked) % words.length]}.`)
        : system.startsWith("You rate")
          ? (lines.judge?.(asked) ?? judgement(3))
          : system.startsWith("You are the assistant in")
            ? (lines.assistant?.(asked) ?? `Level ${levelOf(asked)} after ${asked.body.messages.length} messages.`)
            : (lines.student?.(asked) ?? `I am ${asked.body.model}.`);
    return typeof said === "string" ? { text: said } : said;
  };
}

const words = ["apples and rain", "winter trains leaving", "grandmother's old clock", "seven unread letters"];

/** The n-th message of whoever is asked, from 0. */
export function ownTurns({ body }: Asked): number {
  return body.messages.filter(({ role }) => role === "assistant").length;
}

export function levelOf({ body }: Asked): number {
  return Number(/Desired empathy level: ([\d.]+)/.exec(body.messages[0]?.content ?? "")?.[1]);
}

export function judgement(rating: number): string {
  return JSON.stringify({
    reasoning: "r",
    affective: rating,
    cognitive: rating,
    response: rating,
    prosocial: rating,
    interest: rating,
    contextual: rating,
    relational: null,
  });
}
