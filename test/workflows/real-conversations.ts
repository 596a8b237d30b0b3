import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { controlActivities, unitActivities } from "../../activities/index.ts";
import type { ExperimentPlan } from "../../contract/experiment.ts";
import type { Asked, Reply } from "../support/chat-server.ts";
import { stageBench } from "../support/stage-bench.ts";
import { onStage } from "./harness.ts";
import type { Stage } from "./harness.ts";

/** A line of the provider's own log, apart from all that Attune records. */
interface Logged {
  readonly key: string;
  readonly answered: boolean;
}

/** A run up to the end of `converse` in which all is real but the provider, a scripted server on loopback: workflows, activities, stores. */
export async function conversing(
  plan: Partial<ExperimentPlan>,
  script: (asked: Asked) => Reply,
  test: (stage: Stage & { readonly provider: Provider }) => Promise<void>,
): Promise<void> {
  const log: Logged[] = [];
  const { deps } = await stageBench({
    script: (asked) => {
      const reply = script(asked);
      log.push({ key: String(asked.headers["x-attune-key"]), answered: typeof reply === "object" && "text" in reply });
      return reply;
    },
  });
  const provider = providerOf(log, join(deps.env.home, "calls.db"));
  const allowance = { calls: 8, usd: null };
  const ofEach = { converse: allowance, steer: allowance, evaluate: allowance };
  await onStage({ contexts: ["distress", "learning"], allowance: ofEach, ...plan }, (stage) => test({ ...stage, provider }), {
    until: "converse",
    bend: (made) => {
      Object.assign(made.control, controlActivities(deps));
      Object.assign(made.units, unitActivities(deps));
    },
  });
}

type Provider = ReturnType<typeof providerOf>;

function providerOf(log: readonly Logged[], file: string) {
  const all = <Row>(sql: string): readonly Row[] => {
    const db = new DatabaseSync(file, { readOnly: true });
    try {
      return db.prepare(sql).all() as unknown as Row[];
    } finally {
      db.close();
    }
  };
  return {
    log,
    answered: () => log.filter(({ answered }) => answered).map(({ key }) => key),
    /** Keys of the calls that Attune has recorded. */
    recorded: () => all<{ key: string }>("SELECT lower(hex(key)) AS key FROM calls").map(({ key }) => key),
    /** What became of attempts that brought no answer. */
    outcomes: () => all<{ outcome: string }>("SELECT DISTINCT outcome FROM attempts").map(({ outcome }) => outcome),
    /** Requests that came after their call had been answered. */
    askedAgain: () => log.filter(({ key }, i) => log.slice(0, i).some((before) => before.answered && before.key === key)),
  };
}
