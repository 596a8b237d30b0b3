import type { CallAttempt } from "../../../platform/calls/store.ts";
import { storedCall } from "../../support/stored-call.ts";

/** An attempt at the call of this name, asked for by an alias of its model. */
export const attempt = (name: string, outcome: CallAttempt["outcome"], changes: Partial<CallAttempt> = {}): CallAttempt => {
  const { key, at, labels, role, provider } = storedCall(name);
  const nothing = { usage: { input: 0, cachedInput: 0, output: 0 }, usd: 0 };
  return { key, at, labels, role, provider, model: "alias", outcome, cause: "", ...nothing, ...changes };
};
