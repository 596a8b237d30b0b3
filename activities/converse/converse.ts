import type { ControlActivities, UnitActivities } from "../../contract/activities.ts";
import type { ConversationRow } from "../../contract/rows.ts";
import { familyOf } from "../../domain/personas.ts";
import { random } from "../../domain/random.ts";
import type { Turn } from "../../domain/transcript.ts";
import type { Deps } from "../deps.ts";
import { type Finished, runUnit, type Session } from "../dialogue/session.ts";
import { dataReply, inventPersona, userTurn } from "../dialogue/turns.ts";
import { assistantMessages } from "../prompts/prompts.ts";
import { patternCard } from "../stages/cards.ts";
import { sealConversations } from "./seal.ts";

export function makeConverseActivities(deps: Deps) {
  return {
    converse: (input) => runUnit(deps, input, writeConversation),

    sealConversations: (input) => sealConversations(deps, input),
  } satisfies Pick<UnitActivities, "converse"> & Pick<ControlActivities, "sealConversations">;
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
