import type { Removal } from "../../platform/calls/cache.ts";
import type { RecordedRun } from "../cache/recorded.ts";
import { bytes } from "./bytes.ts";
import { count, money, table } from "./table.ts";

/** The call store by run, and in all. */
export function recordedText(
  recorded: readonly RecordedRun[],
  { place, bytes: held, now }: { readonly place: string; readonly bytes: number; readonly now: number },
): string {
  const rows = recorded.map((run) => [
    run.name,
    count(run.calls),
    count(run.inputTokens),
    count(run.outputTokens),
    price(run),
    bytes(run.bytes),
    age(now - Date.parse(run.lastUsedAt)),
    run.known ? "yes" : "no",
  ]);
  const sum = (of: (run: RecordedRun) => number) => recorded.reduce((total, run) => total + of(run), 0);
  const all = { knownUsd: sum((run) => run.knownUsd), unpriced: sum((run) => run.unpriced) };
  const total = [
    "in all",
    count(sum((run) => run.calls)),
    count(sum((run) => run.inputTokens)),
    count(sum((run) => run.outputTokens)),
    price(all),
    bytes(sum((run) => run.bytes)),
  ];
  return [
    table([["run", "calls", "tokens in", "tokens out", "cost", "size", "last used", "known here"], ...rows, total], [0]),
    "",
    `${place}: ${bytes(held)} in all`,
  ].join("\n");
}

interface NamedRemoval extends Removal {
  /** Runs whose calls go, and open ones that were left out. */
  readonly runs: readonly string[];
  readonly open: readonly string[];
}

/** What a removal takes and what that costs later. */
export function removalText(removal: NamedRemoval, runs: readonly RecordedRun[], now: number): string {
  const { calls, shared, kept, open } = removal;
  const left = open.length === 0 ? [] : [`Left alone, since they are open on the server: ${open.join(", ")}.`];
  if (runs.length === 0) return [...left, "There is nothing to remove: these options name no other recorded run."].join("\n");
  return [
    table(
      [["run", "calls", "last used"], ...runs.map((run) => [run.name, count(run.calls), age(now - Date.parse(run.lastUsedAt))])],
      [0],
    ),
    "",
    `Calls that go: ${count(calls)}, worth ${price(removal)}. A run that needs them asks and pays again. The runs' logs of attempts go too.`,
    ...(kept === 0 ? [] : [`Calls of these runs that stay, since an open run has used them: ${count(kept)}.`]),
    ...shared.map((other) => `Of those that go, ${other.run} has used ${count(other.calls)} too.`),
    ...left,
  ].join("\n");
}

function price({ knownUsd, unpriced }: Pick<RecordedRun, "knownUsd" | "unpriced">): string {
  return unpriced === 0 ? money(knownUsd) : `${money(knownUsd)} + ${count(unpriced)} of unknown price`;
}

/** How long ago, in the unit that says it best. */
function age(milliseconds: number): string {
  const minutes = Math.max(0, Math.floor(milliseconds / 60_000));
  if (minutes < 60) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / (24 * 60))} d`;
}
