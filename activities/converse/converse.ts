import type { UnitActivities } from "../../contract/activities.ts";
import type { ConversationRow } from "../../contract/rows.ts";
import type { StageRecord } from "../../contract/stages.ts";
import type { RunRef } from "../../contract/units.ts";
import { stageKey } from "../../contract/stages.ts";
import { familyOf } from "../../domain/personas.ts";
import { random } from "../../domain/random.ts";
import type { Turn } from "../../domain/transcript.ts";
import type { Deps } from "../deps.ts";
import { type Finished, runUnit, type Session } from "../dialogue/session.ts";
import { dataReply, inventPersona, userTurn } from "../dialogue/turns.ts";
import { badData } from "../failures.ts";
import { assistantMessages } from "../prompts/prompts.ts";
import { patternCard } from "../stages/cards.ts";
import { countOutcomes, leftOut } from "../stages/counts.ts";
import { datasetCard } from "../stages/dataset-card.ts";
import { putRows, putText } from "../stages/output.ts";
import { piiFacts, piiOf } from "../stages/pii.ts";
import { readStageRecord, writeStageRecord } from "../stages/records.ts";
import { listUnits } from "../units.ts";
import { withoutNearDuplicates } from "./distinct.ts";

export function makeConverseActivities(deps: Deps) {
  return {
    converse: (input) => runUnit(deps, input, writeConversation),

    sealConversations: async ({ run, context }: { run: RunRef; context: string }): Promise<StageRecord> => {
      const config = await deps.config(run);
      const units = await listUnits(deps, run, { stage: "converse", context });
      const written = units.flatMap((unit) => (unit.row === null ? [] : [unit.row as ConversationRow]));
      if (written.length === 0)
        throw badData(
          `No conversation of ${context} was kept: see the dropped counts of its batch, and the prompts and fidelity settings`,
        );
      const rows = await withoutNearDuplicates(written, config.experiment.converse.nearDuplicates);
      const counts = leftOut(
        countOutcomes(units, config.experiment.converse.conversations),
        "near-duplicate",
        written.length - rows.length,
      );
      if (rows.length < written.length * config.experiment.batch.minKeptShare)
        deps.log.warn(
          `${written.length - rows.length} of ${written.length} conversations of ${context} nearly equal an earlier one and were left out; more scenario families or manners make them differ`,
          { run: run.name },
        );
      const pii = await piiOf(rows);
      const measured = await readStageRecord(deps, run, "measure");
      const card = datasetCard(config, {
        title: `Conversations: ${context}`,
        note: "Synthetic conversations, one a line; turns are speaker-neutral, the user first.",
        counts,
        pii,
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
          conversations: await putRows(deps.artifacts, run, `conversations-${context}`, rows),
          card: await putText(deps.artifacts, run, `conversations-${context}`, "md", card),
        },
        counts,
        facts: {
          families: new Set(rows.map((row) => row.family)).size,
          plain: rows.filter((row) => row.plain).length,
          ...piiFacts(pii),
        },
      });
    },
  } satisfies Pick<UnitActivities, "converse"> & Record<string, unknown>;
}

async function writeConversation(session: Session): Promise<Finished> {
  const { config, input, name } = session;
  const { seed, converse } = config.experiment;
  const { context: contextId } = input.group;
  const context = config.contexts.find(({ id }) => id === contextId);
  const families = context?.families.filter(({ split }) => split === "pairs") ?? [];
  const family = familyOf(families, seed, input.unit, `pairs/${contextId}`);
  const plain = random(seed, "plain", contextId, input.unit).next() < converse.plainShare;
  const card = await patternCard(session.deps, input.run, config, contextId);
  const persona = await inventPersona(session, family.situation, "pairs");
  if ("dropped" in persona) return persona;
  const turns: Turn[] = [];
  for (let turn = 1; turn <= converse.turns; turn += 1) {
    const said = await userTurn(session, persona, family.situation, turns, turn);
    if ("dropped" in said) return said;
    if (said.fault !== null) return { dropped: `user-${said.fault}` };
    turns.push({ speaker: "user", text: said.text });
    const reply = await dataReply(session, assistantMessages(config, card, plain ? "plain" : "pattern", turns), turn);
    if ("dropped" in reply) return reply;
    turns.push({ speaker: "assistant", text: reply.text });
  }
  const row: ConversationRow = { unit: name, context: contextId, family: family.id, split: "pairs", plain, persona, turns };
  return { row };
}
