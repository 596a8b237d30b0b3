import { withStores } from "../../cli/project.ts";
import { launchKey, stageRecordKey, unitRowsPrefix } from "../../contract/places.ts";
import type { Ref } from "../../contract/ref.ts";

interface Made {
  readonly name: string;
  /** Two hex digits, repeated. */
  readonly digest: string;
  readonly conversations?: readonly object[];
  readonly pairs?: readonly object[];
  readonly evaluation?: readonly object[];
  /** Outcomes of units of `distress` that were conversed, by number. */
  readonly outcomes?: Readonly<Record<string, object>>;
}

/** A run of one context, `distress`, and one backbone, `tiny`, with these datasets sealed; conversations and pairs have a card. */
export async function datasetRun(
  home: string,
  { name, digest, outcomes = {}, ...made }: Made,
  env: Readonly<Record<string, string>> = {},
) {
  return withStores({ home, env }, async ({ artifacts, records }) => {
    const config = { uri: "runs/config.json", sha256: "0".repeat(64), bytes: 0, rows: null };
    const run = { name, digest: digest.repeat(32), config, epoch: "" };
    const data = `runs/${name}/${run.digest}/data`;
    const seal = async (piece: string, output: string, rows: readonly object[] | undefined, carded: boolean) => {
      if (rows === undefined) return null;
      const outputs: Record<string, Ref> = {
        [output]: await artifacts.putLines(`${data}/${piece.replaceAll("/", "-")}.jsonl`, rows),
      };
      if (carded) outputs["card"] = await artifacts.put(`${data}/${piece.replaceAll("/", "-")}.md`, `# ${piece}\n`);
      await records.put(stageRecordKey(run, piece), { key: piece, outputs, counts: {}, at: "2026-01-01" }, null);
      return outputs[output] ?? null;
    };
    const refs = {
      conversations: await seal("converse/distress", "conversations", made.conversations, true),
      pairs: await seal("steer/distress", "pairs", made.pairs, true),
      evaluation: await seal("evaluate/tiny", "rows", made.evaluation, false),
    };
    for (const [unit, outcome] of Object.entries(outcomes))
      await records.put(`${unitRowsPrefix(run, "converse")}distress/${unit}`, { outcome, row: null }, null);
    const plan = { contexts: ["distress"], backbones: ["tiny"], guided: true };
    await records.put(launchKey(run), { run, plan, rehearsal: true, at: `2026-01-01T00:00:${digest}Z` }, null);
    return { run, refs };
  });
}

const persona = { name: "Ann", age: 30, occupation: "a baker", manner: "curt", prose: "Ann bakes." };

export const conversation = (unit: string, last = "Rest first.") => ({
  unit,
  context: "distress",
  family: "distress-storm",
  split: "pairs",
  plain: false,
  persona,
  turns: [
    { speaker: "user", text: "The storm took the roof. \u{1f327}" },
    { speaker: "assistant", text: last },
  ],
});

export const pair = (unit: string, turn: number, chosen = "Rest first.") => ({
  prompt: [
    { role: "system", content: "You help." },
    { role: "user", content: "The storm took the roof." },
  ],
  chosen: [{ role: "assistant", content: chosen }],
  rejected: [{ role: "assistant", content: "Oh my dearest!" }],
  unit,
  family: "distress-storm",
  turn,
  style: "over-warm",
  judge: { chosen: 0.5, rejected: 1 },
  guide: { chosen: 0.25, rejected: null },
});

export const evaluated = (unit: string, arm: string) => ({
  unit,
  context: "distress",
  family: "distress-storm",
  split: "test",
  backbone: "tiny",
  arm,
  model: "tiny",
  desired: 0.75,
  persona,
  turns: [
    {
      turn: 1,
      user: "The storm took the roof.",
      userFault: null,
      reply: "I",
      finishReason: "length",
      empty: false,
      refused: false,
      truncated: true,
      judged: { overall: null, dimensions: { affective: null, cognitive: 2.5 }, unscored: "no JSON" },
      scores: { evaluator: 0.125, preference: null },
    },
  ],
});
