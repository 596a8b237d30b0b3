import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { ConversationRow } from "../../contract/rows.ts";
import type { Asked } from "../support/chat-server.ts";
import { runFixture } from "../support/processes.ts";
import { ownTurns, play, run, stageBench } from "../support/stage-bench.ts";

const [units, turns] = [4, 4];
const names = ["one", "two"] as const;

/** Two processes write the same conversations at once, on one data directory and one teacher that never says the same twice. */
async function writeTwice(rowsOf: (name: (typeof names)[number]) => string) {
  const texts = new Set<string>();
  const fresh = (asked: Asked) => {
    const text = `Word ${asked.n} of ${ownTurns(asked)}, never said before.`;
    texts.add(text);
    return text;
  };
  const { deps, config, server } = await stageBench({
    script: (asked) => {
      const reply = play({ user: fresh, assistant: fresh })(asked);
      // So that both ask before either has an answer.
      return typeof reply === "object" && "text" in reply ? { ...reply, delayMs: 100 } : reply;
    },
    settings: { converse: { conversations: units, turns } },
  });
  const { home } = deps.env;
  const file = join(home, "units.json");
  writeFileSync(file, JSON.stringify({ run, config, units }));
  const outputs = await Promise.all(
    names.map((name) =>
      runFixture("platform/converse-units.ts", [name, file, join(home, rowsOf(name))], { ATTUNE_HOME: home, ATTUNE_STORE: "" }),
    ),
  );
  const ledger = await deps.callStore.usage(run.digest);
  const sum = (of: (line: (typeof ledger)[number]) => number) => ledger.reduce((all, line) => all + of(line), 0);
  return { outputs, texts, server, answers: sum(({ calls }) => calls), wasted: sum(({ wasted }) => wasted) };
}

it.each([
  { whose: "one store of rows", rowsOf: () => "records.db" },
  // What a process made is not hidden by what the other one stored first.
  { whose: "a store of rows each", rowsOf: (name: string) => `rows-${name}.db` },
])(
  "two processes that write the same conversations at once, with $whose, end with the same bytes and one answer for each turn",
  async ({ rowsOf }) => {
    const { outputs, texts, server, answers, wasted } = await writeTwice(rowsOf);
    const [one, two] = outputs;
    expect(one).toBe(two);
    const written = JSON.parse(one ?? "") as { status: string; row: ConversationRow }[];
    expect(written.map(({ status, row }) => [status, row.turns.length])).toEqual(
      Array.from({ length: units }, () => ["done", 2 * turns]),
    );

    // A person, and each turn's two messages: whatever else was answered is waste, and was used by nobody.
    expect(answers).toBe(units * (1 + 2 * turns));
    expect(wasted).toBeGreaterThan(answers / 4);
    expect(server.asked.length).toBe(answers + wasted);
    const used = new Set(written.flatMap(({ row }) => row.turns.map(({ text }) => text)));
    expect(used.size).toBe(units * 2 * turns);
    for (const { body } of server.asked)
      for (const { content } of body.messages) for (const text of texts) if (content.includes(text)) expect(used).toContain(text);
  },
);
