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
  /** Of the answer, where it had one. Lines of earlier versions have none. */
  readonly fingerprint?: string | null | undefined;
}

/** Which model answered a call, and under which fingerprint. */
export type AnsweredBy = Pick<StoredCall, "model" | "fingerprint">;

/** What a call and a try of one say alike. */
function shared({ key, at, labels: { stage, context, arm }, role, usage, usd }: StoredCall | CallAttempt) {
  return { key, at, stage, context, arm, role, usage, usd };
}

export function paidLine(call: StoredCall, bytes: number): LedgerLine {
  const { model, fingerprint } = call;
  return { ...shared(call), model, fingerprint, outcome: "paid", cause: "", answered: true, booked: false, bytes };
}

/** `answeredBy`: what answered this call, where that is known here. */
export function attemptLine(
  attempt: CallAttempt,
  { answeredBy, booked }: { readonly answeredBy: AnsweredBy | undefined; readonly booked: boolean },
): LedgerLine {
  const { model, outcome, cause } = attempt;
  const answered = answeredBy !== undefined;
  const by = { model: answeredBy?.model ?? model, fingerprint: answeredBy?.fingerprint };
  return { ...shared(attempt), ...by, outcome, cause, answered, booked, bytes: 0 };
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
