import type { CallAttempt, StoredCall, Usage } from "./store.ts";

/** A line of the ledger of one run: what was paid, and what was tried. */
export interface LedgerLine {
  readonly key: string;
  readonly at: string;
  readonly stage: string;
  readonly context: string;
  readonly arm: string;
  readonly role: string;
  readonly model: string;
  /** `paid` is written before the answer itself is. */
  readonly outcome: "paid" | CallAttempt["outcome"];
  readonly cause: string;
  readonly usage: Usage;
  readonly usd: number | null;
  /** The model is the one that answered, not the name that was asked for. */
  readonly answered: boolean;
  /** Of a wasted answer: a `paid` line has its price and tokens already. */
  readonly booked: boolean;
  /** Of a paid answer: size of its record. */
  readonly bytes: number;
}

export function paidLine({ key, at, labels, role, model, usage, usd }: StoredCall, bytes: number): LedgerLine {
  const { stage, context, arm } = labels;
  return {
    key,
    at,
    stage,
    context,
    arm,
    role,
    model,
    outcome: "paid",
    cause: "",
    usage,
    usd,
    answered: true,
    booked: false,
    bytes,
  };
}

/** `answeredBy`: the model that answered this call, where that is known here. */
export function attemptLine(
  { key, at, labels, role, model, outcome, cause, usage, usd }: CallAttempt,
  { answeredBy, booked }: { readonly answeredBy: string | undefined; readonly booked: boolean },
): LedgerLine {
  const { stage, context, arm } = labels;
  const answered = answeredBy !== undefined;
  return {
    key,
    at,
    stage,
    context,
    arm,
    role,
    model: answeredBy ?? model,
    outcome,
    cause,
    usage,
    usd,
    answered,
    booked,
    bytes: 0,
  };
}

/** Folder of a run's segments, each `<process>/<number>.jsonl`. */
export const ledgerOf = (run: string): string => `ledger/${encodeURIComponent(run)}/`;

const digits = 9;
const ending = ".jsonl";

/** Segments of a process are numbered without a gap, so that a reader knows what it has not seen: clocks have no part in it. */
export const segmentName = (process: string, number: number): string =>
  `${process}/${String(number).padStart(digits, "0")}${ending}`;

export const segmentNumber = (key: string): number => Number(key.slice(-digits - ending.length, -ending.length));

export const toText = (lines: readonly LedgerLine[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join("");

export function* parsedSegment(text: string): Iterable<LedgerLine> {
  for (const line of text.split("\n")) if (line !== "") yield JSON.parse(line) as LedgerLine;
}
