import type { Allowance, Spend } from "../contract/units.ts";
import { atMost, covers, minus, nothing, plus, spent, tighter } from "./allowance.ts";
import type { Member, Team } from "./team.ts";

interface Dealing {
  /** What a member's stage may still be given by a cap of its own. */
  readonly ownLeft?: (member: Member) => Allowance | null;
  /** False in runs of an earlier version, which gave nothing more once one of the two amounts was used up, also to those that asked for the other alone. */
  readonly byDraw?: () => boolean;
}

/** Deals what is available to the members that asked, first come first served; nobody is given less than one conversation. Answers what is left. */
export function deal(team: Team, available: Allowance, { ownLeft = () => null, byDraw = () => true }: Dealing = {}): Allowance {
  let left = available;
  for (const member of team.members) {
    if (member.draw === null) continue;
    const own = ownLeft(member);
    const most = own === null ? left : tighter(left, own);
    const share = atMost(member.draw, most);
    if (!covers(share, atMost(member.draw, member.unit))) continue;
    if (usedUp(most) && !byDraw()) continue;
    team.grant(member, share);
    left = minus(left, share);
  }
  return left;
}

/** What members were given and have not spent. */
export function reserved(members: readonly Member[]): Allowance {
  return members.map(({ granted, spend }) => minus(granted, spent(spend))).reduce(plus, nothing);
}

function usedUp({ calls, usd }: Allowance): boolean {
  return calls === 0 || usd === 0;
}

/** Budget on its way down: what this level was granted and its children have not got. */
export class Pool {
  #granted = nothing;
  #endedSpend = nothing;
  readonly #byDraw: () => boolean;
  #asked = false;

  constructor(byDraw: () => boolean) {
    this.#byDraw = byDraw;
  }

  /** True while a draw is not answered. */
  get waits(): boolean {
    return this.#asked;
  }

  take(grant: Allowance): void {
    this.#granted = plus(this.#granted, grant);
    this.#asked = false;
  }

  /** An ended child's unspent budget is free for the others. */
  ended(spend: Spend): void {
    this.#endedSpend = plus(this.#endedSpend, spent(spend));
  }

  /** Deals what there is; answers what to draw from above, null when nothing is missing or the last draw is not answered. */
  settle(team: Team): Allowance | null {
    const given = team.members.map(({ granted }) => granted).reduce(plus, nothing);
    const left = deal(team, minus(minus(this.#granted, this.#endedSpend), given), { byDraw: this.#byDraw });
    const missing = team.members.flatMap(({ draw }) => (draw === null ? [] : [draw])).reduce(plus, nothing);
    if (this.#asked || covers(nothing, missing)) return null;
    const ask = minus(missing, left);
    // What is asked for was there: asking for nothing would go round for ever.
    if (covers(nothing, ask) && this.#byDraw()) return null;
    this.#asked = true;
    return ask;
  }
}
