import type { ExperimentPlan } from "../../contract/experiment.ts";
import { canonicalJson } from "../../domain/canonical-json.ts";
import type { Stage } from "../../contract/stages.ts";
import { usageError } from "../errors.ts";
import type { Output } from "../output.ts";
import type { KnownRun } from "../server/runs.ts";

/**
 * What a file or command says that an open run does not follow: it goes on as it was launched.
 * @throws CliError (exit 2) where the command would stop earlier than the run: following it would spend what it was to save
 */
export function sayNotApplied(
  { open, plan, until }: { open: KnownRun; plan: ExperimentPlan; until: Stage | undefined },
  output: Output,
): void {
  const { name } = open.run;
  if (until !== undefined && until !== open.until) {
    const goal = open.until === undefined ? "the whole run" : `--until ${open.until}`;
    throw usageError(
      `${open.workflowId} is open with ${goal} as its goal, which --until ${until} does not change. Follow it (npx attune status ${name} --follow), or cancel it first (npx attune cancel ${name}); what is finished stays.`,
    );
  }
  if (until === undefined && open.until !== undefined)
    output.say(`The open run stops after ${open.until}; run the same file again when it has ended.`);
  const [before, now] = [open.plan, plan];
  const caps = ({ budget, stageBudgets = {} }: ExperimentPlan) => canonicalJson([budget, stageBudgets]);
  if (caps(before) !== caps(now))
    output.say(`The budget of this file is not applied to the open run: npx attune budget raise ${name} --calls N --usd X`);
  if (before.window !== now.window) output.say("batch.window of this file is not applied to the open run.");
}
