import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { identityDigest } from "../../../cli/config/identity.ts";
import { loadExperiment } from "../../../cli/config/experiment.ts";
import { readReferences } from "../../../cli/config/references.ts";
import { readYaml } from "../../../cli/config/yaml.ts";
import { experiment } from "../../../configs/schema/experiment.ts";
import { projectRoot } from "../../../cli/project.ts";

type Identified = Parameters<typeof identityDigest>[0];
type Path = readonly (string | number)[];

const file = join(projectRoot, "test/fixtures/cli/experiment.yaml");
const ref = (letter: string) => ({ uri: `runs/x/inputs/${letter}.jsonl`, sha256: letter.repeat(64), bytes: 10, rows: 1 });

/** Everything a digest is made of, with a value at each key that a person may set. */
let base: Identified;
let written: unknown;

beforeAll(async () => {
  const sets = [
    "owner=somebody",
    "budget.maxCalls=5",
    "budget.maxCostUsd=5",
    "providers.rehearsal.apiKeyEnv=SOME_KEY",
    "providers.rehearsal.requestsPerMinute=600",
    "providers.rehearsal.tokensPerMinute=60000",
    "models.teacher.price={input: 1, cachedInput: 0.5, output: 2}",
  ];
  const { contexts, prompts, rubric } = await readReferences(await loadExperiment(file, { env: {}, sets }), {
    file,
    root: projectRoot,
  });
  base = {
    experiment: await loadExperiment(file, { env: {}, sets }),
    contexts: [...contexts],
    prompts: { ...prompts },
    rubric,
    inputs: { humanData: ref("a"), guideLabels: ref("b"), evaluatorLabels: ref("c"), anchors: ref("d") },
    answeredModels: { teacher: "rehearsal@1", simulatedUser: "rehearsal@1", judge: "rehearsal@1" },
    weights: { "smollm2-135m": "e".repeat(64), "all-MiniLM-L6-v2": "f".repeat(64) },
  };
  written = (await readYaml(file)).value;
});

/** Paths that change no result; every other one does. */
const without = [
  /^experiment\.(?:owner|budget|batch)(?:\.|$)/,
  /^experiment\.providers\.[^.]+\.(?!rehearsal$|jsonSchema$)/,
  /^experiment\.models\.[^.]+\.price\./,
  /^experiment\.(?:backbones\.\d+|encoder)\.weights$/,
  /^experiment\.(?:measure\.humanData|reward\.labels\.\w+|align\.deadlineSeconds|launcher\.(?:restarts|nodeLostSeconds))$/,
  /^inputs\.\w+\.(?:uri|bytes|rows)$/,
];
const matters = (path: Path) => !without.some((pattern) => pattern.test(path.join(".")));

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null;

function leaves(value: unknown, path: Path = []): readonly Path[] {
  if (!isObject(value)) return [path];
  const keys = Array.isArray(value) ? value.map((_, i) => i) : Object.keys(value);
  return keys.flatMap((key) => leaves(value[key], [...path, key]));
}

/** The value with another one at a path. */
function changed(value: unknown, [key, ...rest]: Path): unknown {
  if (key === undefined) {
    if (typeof value === "number") return value + 1;
    if (typeof value === "boolean") return !value;
    return value === null ? 1 : `${JSON.stringify(value)}x`;
  }
  const copy: unknown[] | Record<string, unknown> = Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) };
  Reflect.set(copy, key, changed(Reflect.get(copy, key), rest));
  return copy;
}

/** The value with the members of its objects in an order that a seed gives. */
function reordered(value: unknown, next: () => number): unknown {
  if (!isObject(value)) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => reordered(item, next));
  const members = Object.entries(value).map(([key, member]) => ({ key, member: reordered(member, next), at: next() }));
  return Object.fromEntries(members.toSorted((a, b) => a.at - b.at).map(({ key, member }) => [key, member]));
}

describe("a run's digest", () => {
  test("changes with every key that changes results, and with no other", () => {
    const paths = leaves(base);
    expect(paths.filter((path) => !matters(path)).length).toBeGreaterThan(25);
    const digest = identityDigest(base);
    for (const path of paths)
      expect(identityDigest(changed(base, path) as Identified) !== digest, path.join(".")).toBe(matters(path));
  });

  test("sees several changes at once, whatever else is changed with them", () => {
    const paths = leaves(base);
    const digest = identityDigest(base);
    fc.assert(
      fc.property(fc.subarray([...paths], { minLength: 1, maxLength: 6 }), (some) => {
        const other = some.reduce<unknown>(changed, base) as Identified;
        if (some.some(matters)) expect(identityDigest(other)).not.toBe(digest);
      }),
    );
    fc.assert(
      fc.property(fc.subarray(paths.filter((path) => !matters(path))), (some) => {
        expect(identityDigest(some.reduce<unknown>(changed, base) as Identified)).toBe(digest);
      }),
    );
  });

  test("does not see the order of keys", () => {
    const digest = identityDigest(base);
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (order) => {
        const next = () => order.next().value ?? 0;
        expect(identityDigest(reordered(base, next) as Identified)).toBe(digest);
      }),
      { numRuns: 30 },
    );
  });

  test("does not see whether a default is written out", () => {
    // A launcher that is written names its kind.
    const bare = { ...(written as object), launcher: { kind: "process" } };
    const parsed = experiment.parse(bare);
    const defaults = settings(parsed).filter((path) => path.reduce<unknown>(at, bare) === undefined);
    expect(defaults.length).toBeGreaterThan(40);
    const digest = identityDigest({ ...base, experiment: parsed });
    fc.assert(
      fc.property(fc.subarray([...defaults]), (some) => {
        const full = some.reduce<unknown>((config, path) => put(config, path, path.reduce<unknown>(at, parsed)), bare);
        expect(identityDigest({ ...base, experiment: experiment.parse(full) })).toBe(digest);
      }),
      { numRuns: 50 },
    );
  });
});

const at = (value: unknown, key: string | number): unknown => (isObject(value) ? value[key] : undefined);

/** Paths of keys, lists as one value. */
function settings(value: unknown, path: Path = []): readonly Path[] {
  if (!isObject(value) || Array.isArray(value)) return [path];
  return Object.entries(value).flatMap(([key, member]) => settings(member, [...path, key]));
}

function put(config: unknown, [key, ...rest]: Path, value: unknown): unknown {
  return key === undefined ? value : { ...(config as object | undefined), [key]: put(at(config, key), rest, value) };
}
