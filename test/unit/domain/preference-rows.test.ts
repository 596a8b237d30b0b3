import { describe, expect, it } from "vitest";
import { preferenceRows } from "../../../domain/preference-rows.ts";
import type { PreferencePair } from "../../../domain/preference-rows.ts";

/** The pair at a turn of a conversation u1 a1 u2 a2 …, as steering writes it. */
function pair(unit: string, turn: number): PreferencePair {
  const before = Array.from({ length: turn - 1 }, (_, i) => [
    { role: "user" as const, content: `u${i + 1}` },
    { role: "assistant" as const, content: `a${i + 1}` },
  ]).flat();
  const prompt = [{ role: "system" as const, content: "plain" }, ...before, { role: "user" as const, content: `u${turn}` }];
  return { unit, family: "f", turn, prompt, chosen: `good${turn}`, rejected: `bad${turn}` };
}

const texts = (messages: readonly { content: string }[]) => messages.map(({ content }) => content).join(" ");

describe("rows of a preference model", () => {
  it("are a turn's shared history with either reply, without the system message", () => {
    const [row] = preferenceRows([pair("one", 2)]);
    expect(row).toMatchObject({ id: "one#2", level: "turn", family: "f" });
    expect(texts(row!.chosen)).toBe("u1 a1 u2 good2");
    expect(texts(row!.rejected)).toBe("u1 a1 u2 bad2");
  });

  it("are a unit's whole conversation through its last pair, shared replies where a turn has no pair", () => {
    const rows = preferenceRows([pair("one", 4), pair("one", 1)]);
    expect(rows.map(({ level }) => level)).toEqual(["conversation", "turn", "turn"]);
    expect(texts(rows[0]!.chosen)).toBe("u1 good1 u2 a2 u3 a3 u4 good4");
    expect(texts(rows[0]!.rejected)).toBe("u1 bad1 u2 a2 u3 a3 u4 bad4");
  });

  it("repeat no unit with one pair as a conversation", () => {
    expect(preferenceRows([pair("one", 1)]).map(({ id, level }) => `${id} ${level}`)).toEqual(["one#1 turn"]);
    expect(preferenceRows([])).toEqual([]);
  });
});
