import type { WorkflowFailedError } from "@temporalio/client";
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  TerminatedFailure,
} from "@temporalio/common";
import { type ExitCode, exitCodes } from "../errors.ts";

/** Why a workflow did not complete. */
export interface Failure {
  readonly text: string;
  readonly cancelled: boolean;
}

export function failureExit({ cancelled }: Pick<Failure, "cancelled">): ExitCode {
  return cancelled ? exitCodes.cancelled : exitCodes.failed;
}

/** The failure's own words from the innermost cause outwards; wrappers that only say "activity failed" are left out. */
export function failureText(error: WorkflowFailedError): Failure {
  const chain: Error[] = [];
  for (let cause: unknown = error.cause; cause instanceof Error; cause = cause.cause) chain.push(cause);
  const cancelled = chain[0] instanceof CancelledFailure;
  const [first] = chain;
  // Without a reason the message only says the same again.
  if (first instanceof TerminatedFailure) {
    const reason = /^workflow execution terminated$/i.test(first.message) ? "" : ` (${first.message})`;
    return { text: `it was terminated${reason}`, cancelled: false };
  }
  const told = chain.filter((cause) => !(cause instanceof ActivityFailure || cause instanceof ChildWorkflowFailure)).map(words);
  const where = chain.findLast((cause) => cause instanceof ActivityFailure);
  const at = where instanceof ActivityFailure ? ` (in ${where.activityType})` : "";
  return { text: `${told.at(-1) ?? error.message}${at}`, cancelled };
}

function words(error: Error): string {
  const type =
    error instanceof ApplicationFailure && typeof error.type === "string" && error.type !== "Error" ? `${error.type}: ` : "";
  return `${type}${error.message}`;
}
