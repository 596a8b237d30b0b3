import { z } from "zod";
import type { Item } from "../../domain/gap/items.ts";
import { badData } from "../failures.ts";

const score = z.number().nullish();

/** A scored evaluation row, one conversation of one arm; unknown keys are other rooms' business. */
const evaluationRow = z.looseObject({
  unit: z.string(),
  context: z.string(),
  family: z.string(),
  arm: z.string(),
  desired: z.number().nullish(),
  persona: z.looseObject({ name: z.string(), age: z.number(), occupation: z.string(), prose: z.string() }).nullish(),
  turns: z.array(
    z.looseObject({
      turn: z.int(),
      user: z.string(),
      reply: z.string(),
      empty: z.boolean().optional(),
      refused: z.boolean().optional(),
      truncated: z.boolean().optional(),
      judged: z.looseObject({ overall: score }).nullish(),
      scores: z.looseObject({ evaluator: score, preference: score }).nullish(),
    }),
  ),
});

/** Items of one backbone by context and arm, in the order of their units. */
export type ItemsByContext = Readonly<Record<string, Readonly<Record<string, readonly Item[]>>>>;

/** Reads scored rows; a row of another shape is an error that names its line. */
export async function readItems(lines: AsyncIterable<unknown>, file: string): Promise<ItemsByContext> {
  const out: Record<string, Record<string, Item[]>> = {};
  let at = 0;
  for await (const line of lines) {
    at += 1;
    const parsed = evaluationRow.safeParse(line);
    if (!parsed.success) throw badData(`${file}, line ${at} is no scored evaluation row: ${z.prettifyError(parsed.error)}`);
    const row = parsed.data;
    const arms = (out[row.context] ??= {});
    (arms[row.arm] ??= []).push(toItem(row));
  }
  for (const arms of Object.values(out))
    for (const items of Object.values(arms)) items.sort((a, b) => a.unit.localeCompare(b.unit));
  return out;
}

function toItem(row: z.infer<typeof evaluationRow>): Item {
  const { persona } = row;
  return {
    unit: row.unit,
    family: row.family,
    persona: persona == null ? "" : `${persona.name}, ${persona.age}, ${persona.occupation}. ${persona.prose}`,
    desired: row.desired ?? null,
    turns: row.turns.map((t) => ({
      turn: t.turn,
      user: t.user,
      reply: t.reply,
      score: t.scores?.evaluator ?? null,
      preference: t.scores?.preference ?? null,
      judged: t.judged?.overall ?? null,
      empty: t.empty ?? false,
      refused: t.refused ?? false,
      truncated: t.truncated ?? false,
    })),
  };
}

const pairRow = z.looseObject({ chosen: z.array(z.looseObject({ content: z.string() })) });

/** The chosen replies of a pairs file: what an adapter may have learnt by heart. */
export async function readChosen(lines: AsyncIterable<unknown>): Promise<string[]> {
  const out: string[] = [];
  for await (const line of lines) out.push(...pairRow.parse(line).chosen.map((m) => m.content));
  return out;
}
