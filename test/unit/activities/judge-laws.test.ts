import fc from "fast-check";
import { expect, test } from "vitest";
import type { Session } from "../../../activities/dialogue/session.ts";
import { readJson } from "../../../activities/judging/json.ts";
import { judgeReply } from "../../../activities/judging/judge.ts";
import { dimensions } from "../../../domain/levels.ts";
import { resolvedStub } from "../../support/resolved.ts";

/** A session whose judge answers these texts in turn, the last one for ever. */
function judgedBy(answers: readonly { readonly text: string; readonly finishReason?: string }[]) {
  const stub = resolvedStub();
  const config = {
    ...stub,
    experiment: {
      ...stub.experiment,
      providers: { rehearsal: { ...stub.experiment.providers["rehearsal"]!, baseUrl: "http://x" } },
    },
    prompts: { "judge-task": "{{conversation}} {{reply}}" },
  };
  let asked = 0;
  const session = {
    config,
    ask: async () => ({ finishReason: "stop", refusal: null, ...(answers[asked++] ?? answers.at(-1)) }),
  } as unknown as Session;
  const judge = () => judgeReply(session, [{ speaker: "user", text: "u" }], "a reply", { turn: 1, runs: 1 });
  return { judge, asked: () => asked };
}

const overall = dimensions.filter((name) => name !== "relational");

const rating = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 4, max: 20 }).map((quarters) => quarters / 4) },
  fc.constant(null),
  fc.constantFrom<unknown>(undefined, 0, 0.99, 5.01, 11, -1, 1e300, "4", "11/10", "NaN", "good", true, [3], { value: 3 }),
);
const onScale = (value: unknown) => typeof value === "number" && value >= 1 && value <= 5;

/** Ways in which judges write an object, and whether it can be read out of them. */
const writings: readonly (readonly [write: (json: string) => string, readable: boolean])[] = [
  [(json) => json, true],
  [(json) => `\`\`\`json\n${json}\n\`\`\``, true],
  [(json) => `The reply is warm.\n${json}\nI hope this helps.`, true],
  [(json) => json.replace(/\}$/, " , }"), true],
  [(json) => `${json}\n${json}`, false],
  [(json) => json.slice(0, -1), false],
  [(json) => json.replaceAll('"', "'"), false],
  [(json) => `[${json}]`, false],
];

test("a score is the mean of ratings that are all there and on the scale; anything else is unscored, with its reason", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(...dimensions.map(() => rating)),
      fc.constantFrom(...writings),
      async (values, [write, readable]) => {
        const json = JSON.stringify({ reasoning: "r", ...Object.fromEntries(dimensions.map((name, i) => [name, values[i]])) });
        const ratings = JSON.parse(json) as Readonly<Record<string, unknown>>;
        const { judge, asked } = judgedBy([{ text: write(json) }]);
        const found = await judge();
        const relational = ratings["relational"];
        if (readable && overall.every((name) => onScale(ratings[name])) && (relational === null || onScale(relational))) {
          const mean = overall.reduce((sum, name) => sum + (ratings[name] as number), 0) / overall.length;
          expect(found.overall).toBeCloseTo((mean - 1) / 4, 12);
          expect(found).not.toHaveProperty("unscored");
          expect(asked()).toBe(1);
        } else {
          expect(found.overall).toBeNull();
          expect(found.unscored).toMatch(/\w/);
          expect(asked()).toBe(3);
        }
      },
    ),
    { numRuns: 400 },
  );
});

test("whatever a judge says, nothing is thrown, and no score comes without six ratings", async () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc
      .array(fc.constantFrom("{", "}", "[", "]", '"', ",", ":", "3", "null", '"affective"', "```", "\\", "\u0000", " "), {
        maxLength: 40,
        size: "max",
      })
      .map((parts) => parts.join("")),
  );
  await fc.assert(
    fc.asyncProperty(text, async (said) => {
      readJson(said);
      const found = await judgedBy([{ text: said }]).judge();
      expect(found.overall).toBeNull();
      expect(found.unscored).toMatch(/\w/);
    }),
  );
});

test("an answer that was cut says so", async () => {
  const { judge } = judgedBy([{ text: '{"reasoning":"It is', finishReason: "length" }]);
  expect(await judge()).toMatchObject({ overall: null, unscored: "judge's answer was cut" });
});

test("a bad answer is not mixed with the good one after it", async () => {
  const written = (value: number) => ({ text: JSON.stringify(Object.fromEntries(dimensions.map((name) => [name, value]))) });
  const { judge, asked } = judgedBy([written(11), { text: "no" }, written(4)]);
  expect(await judge()).toMatchObject({ overall: 0.75, dimensions: { affective: 4, relational: 4 } });
  expect(asked()).toBe(3);
});
