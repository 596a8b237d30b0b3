import { describe, expect, it } from "vitest";
import { userFault } from "../../../domain/detectors.ts";
import {
  contextIds,
  levels,
  loadCorpus,
  type ContextId,
  type FamilyPart,
  type Level,
  type ReplyPart,
} from "../../../rehearsal/corpus.ts";
import { contentWords, wordCount, words } from "../../../rehearsal/text.ts";

const corpus = loadCorpus();
const replyParts: readonly ReplyPart[] = ["pairs", "labels", "anchors"];
const constructions = ["fact", "directive", "query", "feeling", "restate", "interest", "offer", "bond", "permission"];
const detectors = { offersHelp: true, lists: true, thankLoop: true, nearCopy: true, advice: true, saysItIsAi: true };

/** Share of the shorter sentence's content words that the other has too. */
function share(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  const [short, long] = one.size <= other.size ? [one, other] : [other, one];
  return short.size === 0 ? 1 : [...short].filter((word) => long.has(word)).length / short.size;
}

const masked = (text: string) => words(text).join(" ");
const slots = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, slot]) => slot);

describe.each(contextIds)("the families of %s", (context: ContextId) => {
  const families = corpus.families.filter((family) => family.context === context);

  it("are as many in each part as declared, each with its own situation", () => {
    const counts: Record<FamilyPart, number> = {
      pairs: 8,
      validation: 4,
      test: 4,
      "labels-guide": 3,
      "labels-evaluator": 3,
      anchors: 4,
    };
    for (const [part, count] of Object.entries(counts))
      expect(families.filter((family) => family.part === part)).toHaveLength(count);
    expect(new Set(families.map((family) => family.id)).size).toBe(26);
    expect(new Set(families.map((family) => family.situation)).size).toBe(26);
  });

  it("unfold over their beats, in wordings that never come twice", () => {
    const seen = new Set<string>();
    for (const family of families) {
      const beats = ["pairs", "validation", "test"].includes(family.part) ? 8 : 3;
      expect([family.user.length, family.help.length], family.id).toEqual([beats, beats]);
      for (const text of [...family.user.flat(), ...family.help.flat()]) {
        expect(seen.has(masked(text)), text).toBe(false);
        seen.add(masked(text));
      }
      for (const [at, beat] of family.user.entries()) {
        expect([beat.length, family.help[at]?.length], family.id).toEqual([3, 2]);
        for (const [text, other] of [
          [beat[0]!, beat[1]!],
          [beat[0]!, beat[2]!],
          [beat[1]!, beat[2]!],
        ] as const) {
          expect(share(contentWords(text), contentWords(other)), `${text} ~ ${other}`).toBeLessThanOrEqual(0.7);
        }
        for (const text of beat) {
          expect(
            slots(text).every((slot) => ["name", "other", "time"].includes(slot ?? "")),
            text,
          ).toBe(true);
          expect(userFault(text, [], detectors), text).toBeNull();
        }
      }
    }
  });
});

describe.each(contextIds)("the replies of %s", (context: ContextId) => {
  const of = (part: ReplyPart, level: Level) => corpus.replies[context][part][level];

  it.each(levels)("at level %i are distinct, within a part and between parts", (level) => {
    const minimum: Record<ReplyPart, number> = { pairs: 40, labels: 25, anchors: 15 };
    const kept: { part: ReplyPart; text: string; content: Set<string> }[] = [];
    for (const part of replyParts) {
      const replies = of(part, level);
      expect(new Set(replies.map((reply) => reply.construction)).size).toBeGreaterThanOrEqual(3);
      for (const { construction, text } of replies) {
        expect(constructions).toContain(construction);
        expect(
          slots(text).every((slot) => slot === "topic" || slot === "name"),
          text,
        ).toBe(true);
        expect(wordCount(text), text).toBeLessThanOrEqual(18);
        const content = contentWords(text);
        const like = kept.find((other) => share(content, other.content) > 0.5);
        expect(like?.text, text).toBeUndefined();
        kept.push({ part, text, content });
      }
      expect(kept.filter((entry) => entry.part === part).length).toBeGreaterThanOrEqual(minimum[part]);
    }
  });

  it("share no sentence between levels or parts", () => {
    const all = replyParts.flatMap((part) => levels.flatMap((level) => of(part, level).map((reply) => masked(reply.text))));
    expect(new Set(all).size).toBe(all.length);
  });
});

it("closing remarks pass as a person's too", () => {
  for (const context of contextIds) {
    const closings = corpus.voices.closings[context];
    expect(closings.length).toBeGreaterThanOrEqual(8);
    for (const { user } of closings) expect(userFault(user, [], detectors), user).toBeNull();
  }
});
