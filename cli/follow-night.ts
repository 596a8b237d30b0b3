import type { Client } from "@temporalio/client";
import type { NightlyResult } from "../contract/experiment.ts";
import { exitCodes } from "./errors.ts";
import { follow } from "./follow.ts";
import type { Output } from "./output.ts";
import type { Project } from "./project.ts";

interface FollowedNight {
  readonly client: Client;
  readonly project: Project;
  readonly output: Output;
  readonly workflowId: string;
  /** What its record for programs begins with. */
  readonly record: Readonly<Record<string, unknown>>;
  /** Said when Ctrl-C leaves it running; null: Ctrl-C ends the command as it ends any other. */
  readonly leaving: string | null;
}

/** Follows a night to its verdict. Answers the exit code: 100 when it regressed. */
export function followNight({ record, ...followed }: FollowedNight): Promise<number> {
  return follow<NightlyResult>({
    ...followed,
    name: followed.workflowId,
    record,
    completed: async (result) => {
      const exitCode = verdictExit(result);
      followed.output.result({ ...record, ...result, state: "complete", exitCode }, verdictText(result));
      return exitCode;
    },
  });
}

export function verdictText({ night, verdict, regressed }: NightlyResult): string {
  return `Night ${night}: ${verdict}${regressed.length === 0 ? "" : ` (${regressed.join(", ")})`}`;
}

export function verdictExit({ verdict }: NightlyResult): number {
  return verdict === "regressed" ? exitCodes.gateNotMet : exitCodes.done;
}
