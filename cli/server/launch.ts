import { type Client, WorkflowExecutionAlreadyStartedError } from "@temporalio/client";
import { defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from "@temporalio/common";
import type { ExperimentInput, ExperimentPlan } from "../../contract/experiment.ts";
import { experimentWorkflowId, type Launch, launchKey } from "../../contract/places.ts";
import type { Queues } from "../../contract/queues.ts";
import { searchAttributes } from "../../contract/search-attributes.ts";
import type { RunRef } from "../../contract/units.ts";
import type { Records } from "../../platform/records/records.ts";
import { updateRecord } from "../../platform/records/update.ts";

/** Workflow types, as the workers register them. */
export const workflowTypes = { experiment: "experiment", nightly: "nightly" } as const;

interface LaunchRequest extends Launch {
  readonly client: Client;
  readonly records: Records;
  readonly queues: Queues;
  readonly owner?: string | undefined;
}

/** Starts the run's workflow, or attaches to the one that is open: two launches at once give one. */
export async function launch({
  client,
  records,
  run,
  plan,
  queues,
  rehearsal,
  at,
  until,
  owner,
}: LaunchRequest): Promise<"started" | "attached"> {
  const workflowId = experimentWorkflowId(run);
  const input: ExperimentInput = {
    run,
    plan,
    queues,
    rehearsal,
    ...(until === undefined ? {} : { until }),
    ...(owner === undefined ? {} : { owner }),
  };
  const keyword = ({ name }: { readonly name: string }) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
  const attributes = [
    { key: keyword(searchAttributes.experiment), value: run.name },
    ...(owner === undefined ? [] : [{ key: keyword(searchAttributes.owner), value: owner }]),
  ];
  await updateRecord<Launch>(records, launchKey(run), () => ({
    run,
    plan,
    rehearsal,
    at,
    ...(until === undefined ? {} : { until }),
  }));
  try {
    await client.workflow.start(workflowTypes.experiment, {
      workflowId,
      taskQueue: queues.control,
      args: [input],
      workflowIdReusePolicy: "ALLOW_DUPLICATE",
      workflowIdConflictPolicy: "FAIL",
      typedSearchAttributes: new TypedSearchAttributes(attributes),
      staticSummary: `${run.name}: ${plan.contexts.join(", ")}${rehearsal ? " (rehearsal: not evidence)" : ""}`,
      staticDetails: details(run, plan),
    });
    return "started";
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return "attached";
    throw error;
  }
}

function details({ digest }: RunRef, { contexts, backbones, conversations, evaluation }: ExperimentPlan): string {
  return [
    `- digest \`${digest.slice(0, 12)}\``,
    `- contexts ${contexts.join(", ")}; backbones ${backbones.join(", ")}`,
    `- ${conversations} conversations a context to train on, ${evaluation.conversations} a context and arm to evaluate (${evaluation.split})`,
    `- arms ${evaluation.arms.join(", ")}`,
  ].join("\n");
}
