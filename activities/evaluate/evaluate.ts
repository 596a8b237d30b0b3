import { wrongContext } from "../../domain/arms.ts";
import type { Experiment } from "../../configs/schema/experiment.ts";
import type { Ref } from "../../contract/ref.ts";
import type { EvaluatedTurn, EvaluationRow } from "../../contract/rows.ts";
import type { UnitInput } from "../../contract/units.ts";
import { drawDesired, familyOf } from "../../domain/personas.ts";
import { isRefused } from "../../domain/refusal.ts";
import { projectFor, type Turn } from "../../domain/transcript.ts";
import type { ChatMessage } from "../../platform/llm/client.ts";
import { UnavailableError } from "../../platform/llm/errors.ts";
import type { Deps } from "../deps.ts";
import { badConfig } from "../failures.ts";
import { type Finished, runUnit, type Session } from "../dialogue/session.ts";
import { adapterName, adapterPlace } from "../jobs/adapter-name.ts";
import { inventPersona, userTurn } from "../dialogue/turns.ts";
import { askCanaries } from "../judging/canaries.ts";
import { judgeReply } from "../judging/judge.ts";
import { baselineSystem, systemPromptArm } from "../prompts/prompts.ts";
import { patternCard, readTargets } from "../stages/cards.ts";
import { canaryPassed, readServing, studentModel } from "./serving.ts";

/** Between two looks at a server that was started anew. */
const canaryWaitMs = 2000;

export function makeEvaluateUnit(deps: Deps) {
  return {
    evaluate: async (input: UnitInput) => {
      const { contexts } = (await deps.config(input.run)).experiment;
      return runUnit(deps, input, rollOut, { basis: basisOf(input, contexts) });
    },
  };
}

/** Items are a function of seed, split, context and unit, so that all arms meet the same people in the same situations. */
async function rollOut(session: Session): Promise<Finished> {
  const { config, input, name, deps } = session;
  const { seed, evaluate } = config.experiment;
  const { context: contextId, backbone, arm } = input.group;
  if (backbone === undefined || arm === undefined || input.serving === undefined)
    throw new Error("evaluate needs a backbone, an arm and the name of a serving job");
  if (isFirst(input, config.experiment)) await askCanaries(session);
  const split = input.group.split ?? evaluate.split;
  const stream = `${split}/${contextId}`;
  const context = config.contexts.find(({ id }) => id === contextId);
  const family = familyOf(context?.families.filter((f) => f.split === split) ?? [], seed, input.unit, stream);
  const levels = (await readTargets(deps, input.run))[contextId]?.levels ?? [];
  const persona = await inventPersona(session, family.situation, split);
  if ("dropped" in persona) return persona;
  const card = await patternCard(deps, input.run, config, contextId);
  const system: ChatMessage = arm === "system_prompt" ? systemPromptArm(config, card) : baselineSystem(config);
  const model = modelOfArm(input, backbone, config.experiment.contexts);
  const history: Turn[] = [];
  const turns: EvaluatedTurn[] = [];
  for (let turn = 1; turn <= evaluate.turns; turn += 1) {
    const said = await userTurn(session, persona, family.situation, history, turn);
    // Drop rules belong to data generation: a faulty message stands and is marked, so that no arm loses items; one that is not there can't be answered.
    if ("dropped" in said) return said;
    if (said.fault === "empty") return { dropped: "user-empty" };
    history.push({ speaker: "user", text: said.text });
    const answer = await askStudent(session, {
      model,
      base: backbone,
      serving: input.serving,
      messages: [system, ...projectFor("assistant", history)],
      turn,
    });
    const reply = answer.text.trim();
    const judged = await judgeReply(session, history, reply, { turn, runs: evaluate.judgeRuns });
    // Whatever the arm said is its outcome, scored as produced.
    turns.push({
      turn,
      user: said.text,
      userFault: said.fault,
      reply,
      finishReason: answer.finishReason,
      empty: reply === "",
      refused: isRefused(answer, "assistant"),
      truncated: answer.finishReason === "length",
      judged,
    });
    history.push({ speaker: "assistant", text: reply });
  }
  const desired = drawDesired(levels, seed, input.unit, stream);
  const row: EvaluationRow = {
    unit: name,
    context: contextId,
    family: family.id,
    split,
    backbone,
    arm,
    model,
    desired,
    persona,
    turns,
  };
  return { row };
}

/** The first conversation of a run; a night has one arm only. */
function isFirst({ run, unit, group }: UnitInput, { contexts, evaluate }: Experiment): boolean {
  const arm = run.epoch === "" ? evaluate.arms[0] : "adapter";
  return unit === 0 && group.context === contexts[0] && group.arm === arm;
}

/** What a row of this unit depends on besides the run: the adapter that spoke. */
export function basisOf(input: Pick<UnitInput, "inputs" | "group">, contexts: readonly string[]): string {
  return adapterOf(input, contexts)?.sha256 ?? "";
}

/** The adapter an arm speaks with: its own context's, the next context's for the wrong one, or none. */
function adapterOf(
  { inputs, group: { arm, context } }: Pick<UnitInput, "inputs" | "group">,
  contexts: readonly string[],
): Ref | null {
  if (arm !== "adapter" && arm !== "wrong_adapter") return null;
  const wanted = arm === "adapter" ? context : wrongContext(contexts, context);
  if (wanted === undefined || (arm === "wrong_adapter" && wanted === context))
    throw badConfig("The arm wrong_adapter needs a second context, whose adapter it takes");
  const ref = inputs[wanted];
  if (ref === undefined) throw badConfig(`No adapter of ${wanted} was given to evaluate`);
  return ref;
}

/** The server's name for an arm: the adapter's, or the base's. */
function modelOfArm(input: UnitInput, backbone: string, contexts: readonly string[]): string {
  const ref = adapterOf(input, contexts);
  if (ref === null) return backbone;
  const place = adapterPlace(ref);
  return adapterName(place.context, place.digest8);
}

/** The serving record is read before every call: a server that died comes back elsewhere. */
async function askStudent(
  session: Session,
  {
    model,
    base,
    serving,
    messages,
    turn,
  }: { model: string; base: string; serving: string; messages: readonly ChatMessage[]; turn: number },
) {
  const found = await readServing(session.deps, serving);
  if (found === null || !(await canaryPassed(session.deps, serving, found.generation)))
    throw new UnavailableError(`The serving job ${serving} has not passed the canary of its newest generation`, canaryWaitMs);
  const student = studentModel(found, model, base, session.config);
  return session.ask({
    role: "student",
    model: student.model,
    weights: student.weights,
    messages,
    maxTokens: session.config.experiment.evaluate.maxNewTokens,
    turn,
    sample: 0,
  });
}
