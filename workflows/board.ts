import { setCurrentDetails, upsertSearchAttributes } from "@temporalio/workflow";
import type { Progress, StageProgress } from "../contract/experiment.ts";
import { stages } from "../contract/stages.ts";
import type { Stage, StageRecord } from "../contract/stages.ts";
import { attributes } from "./attributes.ts";
import { gaveUp, total } from "./counts.ts";
import { detailsOf } from "./details.ts";
import type { Member } from "./team.ts";

/** A search attribute costs an event: `done` moves it by this share of the whole. */
const shownShare = 0.05;

/** Where every piece of a run stands, for the `progress` query, the UI's details and the search attributes. */
export class Board {
  readonly #pieces = new Map<string, StageProgress>();
  readonly #around: () => Omit<Progress, "stages">;
  #shown = { stage: "", done: -1, cost: null as number | null };

  /** `around`: state, hold, spend and budget of the run at the time of asking. */
  constructor(pieces: readonly { key: string; stage: Stage; total: number }[], around: () => Omit<Progress, "stages">) {
    this.#around = around;
    for (const piece of pieces) {
      this.#pieces.set(piece.key, { ...piece, state: "waiting", done: 0, dropped: 0, failed: 0, startedAt: null, endedAt: null });
    }
  }

  get progress(): Progress {
    return { ...this.#around(), stages: [...this.#pieces.values()] };
  }

  running(key: string): void {
    this.#change(key, { state: "running", startedAt: now() });
  }

  /** Conversations of a piece, as its child counts them. */
  counted(key: string, { counts }: Pick<Member, "counts">): void {
    this.#change(key, { done: counts.done, dropped: total(counts.dropped), failed: total(counts.failed) });
  }

  ended(key: string, state: "done" | "reused", record: StageRecord): void {
    const piece = this.#pieces.get(key);
    const { done = piece?.total ?? 0, dropped = 0, failed = 0 } = record.counts;
    this.#change(key, { state, done, dropped, failed, endedAt: now() });
  }

  failed(key: string): void {
    this.#change(key, { state: "failed", endedAt: now() });
  }

  /** Details cost no event and are always fresh; attributes follow coarsely. */
  show(): void {
    const { progress } = this;
    setCurrentDetails(detailsOf(progress));
    const units = progress.stages.filter(({ total: of }) => of > 1);
    const sum = (count: (piece: StageProgress) => number) => units.reduce((all, piece) => all + count(piece), 0);
    const of = sum((piece) => piece.total);
    const done = sum((piece) =>
      piece.state === "done" || piece.state === "reused"
        ? piece.total
        : piece.done + gaveUp({ done: 0, dropped: { d: piece.dropped }, failed: { f: piece.failed } }),
    );
    const stage =
      stages.findLast((name) => progress.stages.some((piece) => piece.stage === name && piece.state !== "waiting")) ?? "measure";
    const moved = done - this.#shown.done >= shownShare * of || (done === of && done !== this.#shown.done);
    if (!moved && stage === this.#shown.stage) return;
    const cost = progress.spend.usd;
    this.#shown = { stage, done, cost };
    upsertSearchAttributes([
      { key: attributes.stage, value: stage },
      { key: attributes.done, value: done },
      { key: attributes.total, value: of },
      { key: attributes.cost, value: cost },
    ]);
  }

  #change(key: string, change: Partial<StageProgress>): void {
    const piece = this.#pieces.get(key);
    if (piece === undefined) return;
    this.#pieces.set(key, { ...piece, ...change });
    this.show();
  }
}

function now(): string {
  return new Date().toISOString();
}
