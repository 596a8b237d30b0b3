import { experimentWorkflowId, type Launch } from "../../contract/places.ts";
import { planFor } from "../../configs/schema/plan.ts";
import { stages, type Stage } from "../../contract/stages.ts";
import { exitCodes, usageError } from "../errors.ts";
import { openProject, type Project, withStores } from "../project.ts";
import { commandOutput, type Output } from "../output.ts";
import { loadExperiment } from "../config/experiment.ts";
import { checkMoney, isRehearsal } from "../config/money.ts";
import { nearest } from "../config/nearest.ts";
import { resolveExperiment, storeRun } from "../config/resolve.ts";
import { estimateCalls } from "../config/call-estimate.ts";
import { withClient } from "../server/connect.ts";
import { launch } from "../server/launch.ts";
import { dropPieces, piecesFrom, readPieces } from "../server/pieces.ts";
import { findRun } from "../server/runs.ts";
import { look } from "../server/watch.ts";
import { followRun } from "../follow.ts";
import { sayNotApplied } from "../view/not-applied.ts";
import { sayEarlier } from "../view/earlier.ts";
import { estimateText } from "../view/estimate.ts";
import { finishedRun } from "../view/finished.ts";
import { uiLink } from "../view/links.ts";

export interface RunOptions {
  readonly json?: boolean;
  readonly set?: readonly string[];
  readonly until?: string;
  readonly rebuild?: string;
  readonly extend?: boolean;
  readonly detach?: boolean;
}

/** `attune run FILE`: checks everything, starts the run or attaches to it, and follows it to its end. */
export async function run(file: string, options: RunOptions): Promise<void> {
  const output = commandOutput(options);
  const project = await openProject();
  process.exitCode = await runExperiment(file, options, { project, output });
}

/** The same inside another command, which may say in its own words what leaving the run by Ctrl-C means; answers the exit code. */
export async function runExperiment(
  file: string,
  options: Omit<RunOptions, "json">,
  { project, output, leaving }: { readonly project: Project; readonly output: Output; readonly leaving?: string },
): Promise<number> {
  const until = options.until === undefined ? undefined : stageNamed(options.until);
  const experiment = await loadExperiment(file, { env: project.env, sets: options.set ?? [] });
  checkMoney(experiment);
  const resolution = await resolveExperiment(experiment, file, project);
  const plan = planFor(resolution.resolved);
  const workflowId = experimentWorkflowId({ name: experiment.name, digest: resolution.digest });
  const estimate = estimateCalls(resolution.resolved);

  return withClient(project, (client) =>
    withStores(project, async (stores) => {
      await sayEarlier(stores, resolution, { output, extend: options.extend === true });
      const ref = await storeRun(resolution, stores.artifacts);
      const open = (await look(client, workflowId, project.queues)).status === "RUNNING";
      if (options.rebuild !== undefined) {
        if (open) throw usageError(`${workflowId} is open; cancel it before you rebuild: npx attune cancel ${experiment.name}`);
        const dropped = piecesFrom(plan, options.rebuild);
        await dropPieces(stores, ref, dropped);
        output.say(`Dropped to be made again: ${dropped.join(", ")}.`);
      }
      if (!open) {
        const pieces = await readPieces(stores, ref, plan, { verify: true });
        if (pieces.every(({ whole }) => whole)) {
          const text = `${workflowId} is complete: every piece is there with its digest. Nothing was started.`;
          output.result({ event: "launch", workflowId, state: "complete", digest: ref.digest }, text);
          return finishedRun({ run: ref, stores, output, state: "complete" });
        }
        const done = pieces.filter(({ whole }) => whole).map(({ key }) => key);
        if (!output.json) output.say(estimateText(estimate, experiment, done));
      }
      if (open) sayNotApplied({ open: await findRun(stores.records, workflowId), plan, until }, output);
      const launched: Launch = {
        run: ref,
        plan,
        rehearsal: isRehearsal(experiment),
        ...(until === undefined ? {} : { until }),
        at: new Date().toISOString(),
      };
      const how = open
        ? "attached"
        : await launch({ client, records: stores.records, queues: project.queues, owner: experiment.owner, ...launched });
      const link = uiLink(project, workflowId);
      const record = { event: "launch", workflowId, state: how, digest: ref.digest, ui: link, estimate };
      output.result(record, launchText({ how, workflowId, link, name: experiment.name }));
      if (options.detach === true) return exitCodes.done;
      return followRun({ client, project, stores, run: ref, output, ...(leaving === undefined ? {} : { leaving }) });
    }),
  );
}

function launchText({
  how,
  workflowId,
  link,
  name,
}: {
  how: "started" | "attached";
  workflowId: string;
  link: string | null;
  name: string;
}): string {
  return [
    how === "started" ? `Started ${workflowId}.` : `Attached to ${workflowId}, which is open already.`,
    ...(link === null ? [] : [`  watch   ${link}`]),
    `  status  npx attune status ${name}`,
    `  cancel  npx attune cancel ${name}`,
    "",
  ].join("\n");
}

function stageNamed(name: string): Stage {
  const stage = stages.find((candidate) => candidate === name);
  if (stage !== undefined) return stage;
  const meant = nearest(name, stages);
  throw usageError(`--until ${name}: ${meant === undefined ? `stages are ${stages.join(", ")}` : `did you mean ${meant}?`}`);
}
