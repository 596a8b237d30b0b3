import { ApplicationFailure } from "@temporalio/workflow";
import type { RaiseBudget, RetryUnits, SetWidth } from "../contract/messages.ts";
import type { Allowance } from "../contract/units.ts";

/** @throws ApplicationFailure `Refused`, which the sender of the message gets */
export function checkWidth({ window }: SetWidth): void {
  if (!Number.isInteger(window) || window < 1 || window > 400)
    throw refusal("Conversations open at a time must be a whole number from 1 to 400");
}

/** @throws ApplicationFailure `Refused` unless it raises the cap in force; `cap` null: there is none */
export function checkRaise({ calls, usd, stage }: RaiseBudget, cap: Allowance | null): void {
  if (cap === null || (cap.calls === null && cap.usd === null)) {
    const of = stage === undefined ? "" : ` of ${stage}`;
    throw refusal(`This run was started without a budget${of}: its conversations draw none`);
  }
  for (const [name, amount] of Object.entries({ calls, usd }))
    if (amount !== null && !(Number.isFinite(amount) && amount >= 0))
      throw refusal(`${name} must be a number, or null for no cap`);
  const lowers = (next: number | null, now: number | null) => next !== null && (now === null || !(next >= now));
  if (lowers(calls, cap.calls) || lowers(usd, cap.usd)) {
    throw refusal(
      `A budget can only be raised: it is ${cap.calls ?? "any number of"} calls and ${cap.usd === null ? "any cost" : `$${cap.usd}`}`,
    );
  }
}

/** @throws ApplicationFailure `Refused` unless it allows more samples than `now` */
export function checkRetry({ sampleLimit }: RetryUnits, now: number): void {
  if (!Number.isInteger(sampleLimit) || sampleLimit <= now || sampleLimit > 20)
    throw refusal(`Samples a turn must be a whole number above ${now}, 20 at most`);
}

function refusal(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, "Refused");
}
