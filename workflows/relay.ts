import { patched, setHandler } from "@temporalio/workflow";
import type { Counts } from "../contract/experiment.ts";
import type { HoldDetail } from "../contract/failures.ts";
import type { Control } from "../contract/messages.ts";
import type { Spend } from "../contract/units.ts";
import { Pool } from "./budget.ts";
import { sumSpend } from "../domain/spend.ts";
import { settled, sumCounts } from "./counts.ts";
import { onControl, onReport, partProgressQuery } from "./signals.ts";
import { Team } from "./team.ts";
import type { Member, Orders } from "./team.ts";
import { Upward } from "./upward.ts";

/** A level between the run and its conversations: orders and budget go down through it, counts, draws and holds go up. */
export class Relay {
  readonly team: Team;
  readonly #pool = new Pool(() => patched("deal-by-draw"));
  readonly #upward: Upward;
  readonly #ended = new Map<string, { counts: Counts; spend: Spend }>();
  readonly #hooks: { onControl: (control: Control) => void; onReport: (member: Member) => void };
  readonly #total: number;
  #newestControl = 0;
  #ordered: boolean;
  #held = false;
  /** Of the last report while held: what ends after that may end the hold. */
  #settledAtHold = 0;
  /** Conversations that a child of this level may open at a time, whatever is ordered. */
  mostWindow = Number.POSITIVE_INFINITY;

  /** `onControl` is called before an order is passed on, `onReport` after a report was booked. */
  constructor({
    orders,
    total,
    onControl = () => undefined,
    onReport = () => undefined,
  }: {
    orders: Orders;
    total: number;
    onControl?: (control: Control) => void;
    onReport?: (member: Member) => void;
  }) {
    this.#total = total;
    this.#ordered = orders.paused;
    this.#hooks = { onControl, onReport };
    this.#upward = new Upward(total);
    this.team = new Team({ orders, onEnd: ({ spend }) => this.#pool.ended(spend) });
  }

  /** Handles messages from here on; those that came before are handled at once. */
  listen(): void {
    onControl((control) => this.#obey(control));
    onReport((report) => {
      const heard = this.team.heard(report);
      if (heard === null) return;
      this.#hooks.onReport(heard.member);
      if (heard.hold === null) this.report();
      else this.hold(heard.hold);
    });
    setHandler(partProgressQuery, () => ({ counts: this.counts, total: this.#total, open: this.open, paused: this.paused }));
  }

  /** True while nothing new may start here. */
  get paused(): boolean {
    return this.#held || this.#ordered;
  }

  get counts(): Counts {
    return sumCounts([...this.#ended.values(), ...this.team.members].map(({ counts }) => counts));
  }

  get spend(): Spend {
    return sumSpend([...this.#ended.values(), ...this.team.members].map(({ spend }) => spend));
  }

  get open(): number {
    return this.team.members.reduce((sum, { open }) => sum + open, 0);
  }

  /** Stops new work here at once and tells the parent why; it goes on when the parent says so. The first reason is told, once. */
  hold(hold: HoldDetail): void {
    if (this.#held) return;
    this.#held = true;
    this.team.tell({ paused: true });
    this.report(hold);
  }

  /** What an ended child counts for, until it is forgotten because its work is done again. */
  settle(id: string, { counts, spend }: { counts: Counts; spend: Spend }): void {
    this.#ended.set(id, { counts, spend });
    this.report();
  }

  forget(id: string): void {
    this.#ended.delete(id);
  }

  report(hold: HoldDetail | null = null): void {
    const draw = this.#pool.settle(this.team);
    const { counts, spend, open } = this;
    const stuck = this.#pool.waits && open === 0;
    const moved = this.#held && settled(counts) > this.#settledAtHold && patched("news-while-held");
    const news = hold !== null || draw !== null || stuck || moved;
    if (hold !== null || moved) this.#settledAtHold = settled(counts);
    this.#upward.send({ counts, spend, open, allScheduled: false, draw, hold }, news);
  }

  #isNews({ resume, ...orders }: Partial<Orders> & Pick<Control, "resume" | "lifted">): boolean {
    const told = this.team.orders;
    return (
      resume === true ||
      orders.paused !== told.paused ||
      (orders.window !== undefined && orders.window !== told.window) ||
      (orders.sampleLimit !== undefined && orders.sampleLimit !== told.sampleLimit)
    );
  }

  #obey(control: Control): void {
    this.#hooks.onControl(control);
    const { grant, seq, window, ...change } = control;
    this.#upward.obeyed(control);
    if (control.resume === true) this.#held = false;
    const newest = seq > this.#newestControl;
    if (newest) {
      this.#newestControl = seq;
      this.#ordered = control.paused;
    }
    const orders = {
      ...change,
      ...(newest && window !== undefined ? { window: Math.min(window, this.mostWindow) } : {}),
      paused: this.paused,
    };
    // A grant is for this level alone: passed on as an order, each would be a signal to every child.
    if (this.#isNews(orders) || !patched("quiet-orders")) this.team.tell(orders);
    if (grant !== undefined) this.#pool.take(grant);
    this.report();
  }
}
