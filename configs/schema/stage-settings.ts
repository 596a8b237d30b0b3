import { z } from "zod";
import { arms } from "../../contract/stages.ts";
import { filePath, unitInterval } from "./common.ts";

export const measure = z.strictObject({
  humanData: filePath.describe("JSONL, one participant's task a line: docs/human-data.md"),
  illustrative: z.boolean().default(false).describe("Not from people: targets are examples"),
  strict: z.boolean().default(true).describe("A bad row stops the run; otherwise it is reported and left out"),
  link: z.enum(["linear", "equipercentile", "criterion"]).default("linear"),
});

/** Tokens of an answer at most, whatever the model. */
const largestAnswer = 4096;

/** Detectors on the simulated user's turns; each can be turned off. */
const fidelity = z.strictObject({
  offersHelp: z.boolean().default(true),
  lists: z.boolean().default(true),
  thankLoop: z.boolean().default(true),
  nearCopy: z.boolean().default(true),
  advice: z.boolean().default(true),
  saysItIsAi: z.boolean().default(true),
});

const nearDuplicates = z.strictObject({
  similarity: z
    .number()
    .min(0.5)
    .max(1)
    .nullable()
    .default(0.8)
    .describe(
      "Share of common word 5-shingles from which a conversation is left out as a near copy of an earlier one; null keeps all",
    ),
});

export const converse = z
  .strictObject({
    conversations: z.int().min(1).max(100_000).describe("Per context"),
    turns: z.int().min(1).max(40),
    maxTokens: z.int().min(16).max(largestAnswer).default(120).describe("Of a message, when it is asked for the first time"),
    maxTokensCap: z
      .int()
      .min(16)
      .max(largestAnswer)
      .optional()
      .describe("A cut message is asked again with twice the limit, up to this; four times maxTokens when absent"),
    plainShare: unitInterval.default(0.25).describe("Share of conversations whose assistant turns are plain"),
    sampleLimit: z.int().min(1).max(20).default(4).describe("Samples a turn may use before its conversation is dropped"),
    fidelity: fidelity.prefault({}),
    nearDuplicates: nearDuplicates.prefault({}),
  })
  .refine(({ maxTokens, maxTokensCap = largestAnswer }) => maxTokensCap >= maxTokens, {
    path: ["maxTokensCap"],
    message: "must be maxTokens at least",
  });

/** The most tokens a message of a conversation may be asked with. */
export function tokensCap({ maxTokens, maxTokensCap }: z.infer<typeof converse>): number {
  return maxTokensCap ?? Math.min(largestAnswer, 4 * maxTokens);
}

export const steer = z.strictObject({
  guidance: z.enum(["judge+rm", "judge"]).default("judge+rm"),
  judgeMargin: unitInterval.default(0.15).describe("Least difference of judged levels between chosen and rejected"),
  guideMargin: unitInterval.default(0.1).describe("The same for the guide reward model"),
  maxLengthRatio: z.number().min(1).default(2),
  baselinePrior: unitInterval.default(0.5).describe("Where the target is below it, over-warm replies are rejected too"),
  overWarmShare: unitInterval.default(0.5).describe("Share of over-warm counter-replies there, asked for and, at most, kept"),
  judgeRuns: z.int().min(1).max(9).default(1),
  sampleLimit: z.int().min(1).max(20).default(3),
  minPairs: z
    .int()
    .min(1)
    .default(8)
    .describe("Fewer pairs than this in a context stop its training; balancing styles leaves at least as many"),
});

export const reward = z.strictObject({
  labels: z.strictObject({ guide: filePath, evaluator: filePath, anchors: filePath }),
  author: z.string().describe("Who scored the labels, as every table names it"),
  freezeEncoder: z.literal(true).default(true).describe("Only heads are trained; a trained encoder is not offered"),
  validationShare: z.number().min(0).max(0.5).default(0.25),
  preferenceSteps: z.int().min(1).default(200),
  preferenceLearningRate: z.number().positive().default(0.01),
});

export const evaluate = z.strictObject({
  split: z.enum(["validation", "test"]),
  conversations: z.int().min(1).max(10_000).describe("Per context and arm"),
  turns: z.int().min(1).max(40),
  maxNewTokens: z.int().min(8).max(2048).default(40),
  temperature: z.number().min(0).max(2).default(0.7),
  arms: z.array(z.enum(arms)).min(1),
  judgeRuns: z.int().min(1).max(9).default(1),
  sampleLimit: z.int().min(1).max(20).default(3),
  margin: unitInterval.default(0.1).describe("δ of the verdict; 0.05 and 0.15 are shown beside it"),
  primary: z.literal("evaluator").default("evaluator"),
});
