import type { ConversationRow } from "../../contract/rows.ts";
import { stageKey, type StageRecord } from "../../contract/stages.ts";
import type { RunRef } from "../../contract/units.ts";
import type { Deps } from "../deps.ts";
import { badData } from "../failures.ts";
import { leftOut, outcomeCounter } from "../stages/counts.ts";
import { datasetCard } from "../stages/dataset-card.ts";
import { putRows, putText } from "../stages/output.ts";
import { piiCounter, piiFacts } from "../stages/pii.ts";
import { readStageRecord, writeStageRecord } from "../stages/records.ts";
import { readUnit, unitsOf, type UnitRecord } from "../units.ts";
import { nearCopies } from "./distinct.ts";

/** Makes one data set of what a context's batch left: its conversations are read twice, one after another, and never held together. */
export async function sealConversations(deps: Deps, { run, context }: { run: RunRef; context: string }): Promise<StageRecord> {
  const config = await deps.config(run);
  const group = { stage: "converse" as const, context };
  const outcomes = outcomeCounter(config.experiment.converse.conversations);
  const isCopy = nearCopies(async (unit) => rowOf(await readUnit(deps, run, group, unit)), config.experiment.converse);
  const units = unitsOf(deps, run, group);
  const copies = new Set<number>();
  for await (const unit of units()) {
    outcomes.add(unit.outcome);
    const row = rowOf(unit);
    if (row !== null && (await isCopy(unit.unit, row))) copies.add(unit.unit);
  }
  const found = outcomes.counts();
  const written = found["done"] ?? 0;
  if (written === 0)
    throw badData(
      `No conversation of ${context} was kept: see the dropped counts of its batch, and the prompts and fidelity settings`,
    );
  const counts = leftOut(found, "near-duplicate", copies.size);
  if (written - copies.size < written * config.experiment.batch.minKeptShare)
    deps.log.warn(
      `${copies.size} of ${written} conversations of ${context} nearly equal an earlier one and were left out; more scenario families or manners make them differ`,
      { run: run.name },
    );
  const families = new Set<string>();
  let plain = 0;
  const kept = async function* () {
    for await (const unit of units()) {
      const row = rowOf(unit);
      if (row === null || copies.has(unit.unit)) continue;
      families.add(row.family);
      if (row.plain) plain += 1;
      yield row;
    }
  };
  const pii = piiCounter();
  const conversations = await putRows(deps.artifacts, run, `conversations-${context}`, pii.passing(kept()));
  const measured = await readStageRecord(deps, run, "measure");
  const card = datasetCard(config, {
    title: `Conversations: ${context}`,
    note: "Synthetic conversations, one a line; turns are speaker-neutral, the user first.",
    counts,
    pii: pii.counts(),
    roles: ["teacher", "simulatedUser"],
    prompts: [
      "persona",
      "simulated-user",
      "simulated-user-opening",
      "simulated-user-reminder",
      "assistant",
      "style-pattern",
      "style-plain",
    ],
    parents: { "measured targets": measured?.outputs["targets"] },
  });
  return writeStageRecord(deps, run, {
    key: stageKey("converse", context),
    stage: "converse",
    outputs: {
      conversations,
      card: await putText(deps.artifacts, run, `conversations-${context}`, "md", card),
    },
    counts,
    facts: {
      families: families.size,
      plain,
      ...piiFacts(pii.counts()),
    },
  });
}

const rowOf = (record: UnitRecord | null) => (record?.row ?? null) as ConversationRow | null;
