import { Context } from "@temporalio/activity";
import type { ConversationRow, Style } from "../../contract/rows.ts";
import type { UnitInput } from "../../contract/units.ts";
import type { Judged } from "../../domain/levels.ts";
import { random } from "../../domain/random.ts";
import type { Turn } from "../../domain/transcript.ts";
import type { Deps } from "../deps.ts";
import { withTypedFailures } from "../failures.ts";
import { type Finished, runUnit, type Session } from "../dialogue/session.ts";
import { dataReply } from "../dialogue/turns.ts";
import { judgeReply } from "../judging/judge.ts";
import { assistantMessages } from "../prompts/prompts.ts";
import { patternCard } from "../stages/cards.ts";
import { rowReader } from "../stages/output.ts";

export interface SteeredReply {
  readonly side: "pattern" | "counter";
  readonly style: Style;
  readonly text: string;
  readonly finishReason: string;
  readonly judged: Judged;
}

export interface SteeredRow {
  readonly unit: string;
  readonly context: string;
  readonly family: string;
  readonly turns: readonly {
    readonly turn: number;
    readonly history: readonly Turn[];
    readonly candidates: readonly SteeredReply[];
  }[];
}

export function makeSteerUnit(deps: Deps) {
  const conversations = rowReader<ConversationRow>(deps.artifacts);

  return {
    steer: async (input: UnitInput) => {
      const ref = input.inputs["conversations"];
      if (ref === undefined) throw new Error("steer needs the sealed conversations as its input `conversations`");
      // A rebuilt converse stage may move a conversation to another index: its record and calls go by its name.
      const conversation = await withTypedFailures(Context.current().cancellationSignal, () => conversations(ref, input.unit));
      return runUnit(deps, input, (session) => steerConversation(session, conversation), {
        subject: conversation?.unit,
        basis: ref.sha256,
      });
    },
  };
}

/** Both replies of every assistant turn, from one shared history: the conversation up to that user turn. */
async function steerConversation(session: Session, conversation: ConversationRow | undefined): Promise<Finished> {
  const { config, input } = session;
  if (conversation === undefined) return { dropped: "no-conversation" };
  const { seed, steer } = config.experiment;
  const context = input.group.context;
  const card = await patternCard(session.deps, input.run, config, context);
  const turns: SteeredRow["turns"][number][] = [];
  for (const [index, said] of conversation.turns.entries()) {
    if (said.speaker !== "user") continue;
    const turn = Math.floor(index / 2) + 1;
    const history = conversation.turns.slice(0, index + 1);
    const overWarm =
      card.target < steer.baselinePrior && random(seed, "counter", context, conversation.unit, turn).next() < steer.overWarmShare;
    const candidates: SteeredReply[] = [];
    for (const [side, style] of [
      ["pattern", "pattern"],
      ["counter", overWarm ? "over-warm" : "cold"],
    ] as const) {
      const reply = await dataReply(session, assistantMessages(config, card, style, history), turn);
      if ("dropped" in reply) return reply;
      const judged = await judgeReply(session, history, reply.text, { turn, runs: steer.judgeRuns });
      candidates.push({ side, style, ...reply, judged });
    }
    turns.push({ turn, history, candidates });
  }
  const row: SteeredRow = { unit: conversation.unit, context, family: conversation.family, turns };
  return { row };
}
