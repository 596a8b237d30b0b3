import { z } from "zod";
import { judgeSamples, judgeTokens } from "../../configs/schema/worst-case.ts";
import { dimensions, type Judged, meanJudged, overallLevel, type Ratings, unrated } from "../../domain/levels.ts";
import { isRefused, readsAsRefusal } from "../../domain/refusal.ts";
import type { Turn } from "../../domain/transcript.ts";
import { roleModel } from "../dialogue/models.ts";
import type { Session } from "../dialogue/session.ts";
import { judgeMessages } from "../prompts/prompts.ts";
import { readJson } from "./json.ts";

const rating = z.number().min(1).max(5).nullable();
const judgement = z.object({
  reasoning: z.string().optional(),
  ...(Object.fromEntries(dimensions.map((name) => [name, rating])) as Record<(typeof dimensions)[number], typeof rating>),
});

const number = { type: ["number", "null"], minimum: 1, maximum: 5 };
const schema = {
  name: "judgement",
  schema: {
    type: "object",
    properties: { reasoning: { type: "string" }, ...Object.fromEntries(dimensions.map((name) => [name, number])) },
    required: ["reasoning", ...dimensions],
    additionalProperties: false,
  },
};

/** Repeated runs keep their samples apart. */
const samplesPerRun = 16;

/**
 * Judges one reply, `runs` times, and takes the mean of the runs that were scored. Each may be answered `samples` times until it can be read; a refusal
 * is not asked again. Never a default score.
 */
export async function judgeReply(
  session: Session,
  history: readonly Turn[],
  reply: string,
  { turn, runs, samples = judgeSamples }: { turn: number; runs: number; samples?: number },
): Promise<Judged> {
  const all: Judged[] = [];
  for (let run = 0; run < runs; run += 1) all.push(await judgeOnce(session, history, reply, { turn, run, samples }));
  return meanJudged(all);
}

const refused: Judged = { overall: null, dimensions: unrated, unscored: "judge-refused" };

async function judgeOnce(
  session: Session,
  history: readonly Turn[],
  reply: string,
  { turn, run, samples }: { turn: number; run: number; samples: number },
): Promise<Judged> {
  const model = roleModel(session.config, "judge");
  const messages = judgeMessages(session.config, history, reply);
  let unscored: Judged = { overall: null, dimensions: unrated, unscored: "no answer" };
  for (let sample = 0; sample < samples; sample += 1) {
    const answer = await session.ask({
      role: "judge",
      model,
      messages,
      maxTokens: judgeTokens,
      turn,
      sample: run * samplesPerRun + sample,
      schema,
    });
    if (isRefused(answer, "json")) return refused;
    const parsed = judgement.safeParse(readJson(answer.text));
    if (!parsed.success) {
      const reason =
        answer.finishReason === "length"
          ? "judge's answer was cut"
          : `judge's answer can't be read: ${z.prettifyError(parsed.error).split("\n")[0] ?? ""}`.slice(0, 120);
      unscored = { overall: null, dimensions: unrated, unscored: reason };
      continue;
    }
    // Held to a schema, a model refuses in its reasoning, and its ratings mean nothing.
    if (readsAsRefusal(parsed.data.reasoning ?? "")) return refused;
    const ratings = Object.fromEntries(dimensions.map((name) => [name, parsed.data[name]])) as Ratings;
    const overall = overallLevel(ratings);
    if (overall !== null) return { overall, dimensions: ratings };
    unscored = { overall, dimensions: ratings, unscored: "a dimension was not rated" };
  }
  return unscored;
}
