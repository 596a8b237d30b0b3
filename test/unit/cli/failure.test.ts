import { WorkflowFailedError } from "@temporalio/client";
import { ApplicationFailure, CancelledFailure, ChildWorkflowFailure, RetryState, TerminatedFailure } from "@temporalio/common";
import { expect, test } from "vitest";
import { failureExit, failureText } from "../../../cli/view/failure.ts";

const failed = (cause: Error) =>
  failureText(new WorkflowFailedError("Workflow execution failed", cause, RetryState.NON_RETRYABLE_FAILURE));

test.each([
  [new CancelledFailure("Workflow canceled"), { text: "Workflow canceled", cancelled: true }, 5],
  [new TerminatedFailure("Workflow execution terminated"), { text: "it was terminated", cancelled: false }, 1],
  [new TerminatedFailure("disk full"), { text: "it was terminated (disk full)", cancelled: false }, 1],
  [
    new ChildWorkflowFailure(
      "default",
      { workflowId: "w", runId: "r" },
      "batch",
      RetryState.NON_RETRYABLE_FAILURE,
      ApplicationFailure.nonRetryable("Line 3 has no level", "BadData"),
    ),
    { text: "BadData: Line 3 has no level", cancelled: false },
    1,
  ],
])("%s", (cause, failure, exitCode) => {
  expect(failed(cause)).toEqual(failure);
  expect(failureExit(failure)).toBe(exitCode);
});
