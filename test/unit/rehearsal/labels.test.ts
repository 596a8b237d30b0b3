import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { contextIds, loadCorpus, rehearsalRoot } from "../../../rehearsal/corpus.ts";
import { digests } from "../../../rehearsal/digests.ts";
import { labelFile, labelRows, labelText, sets } from "../../../rehearsal/export-rows.ts";

const corpus = loadCorpus();
const rows = Object.fromEntries(sets.map((set) => [set, labelRows(corpus, set)]));

describe.each(sets)("the set %s", (set) => {
  it("is committed as the export makes it", () => {
    expect(readFileSync(join(rehearsalRoot, labelFile(set)), "utf8")).toBe(labelText(corpus, set));
  });

  it("has every kind and level in every context", () => {
    for (const context of contextIds) {
      const own = rows[set]!.filter((row) => row.context === context);
      const kinds = ["cold", "graded", "help-only", "off-topic", "keyword-stuffed", "empty", "over-warm", "student"];
      expect(new Set(own.map((row) => row.kind))).toEqual(new Set(kinds));
      expect(new Set(own.map((row) => row.label))).toEqual(new Set([...own.map((row) => row.label), 0, 0.25, 0.5, 0.75, 1]));
      expect(own.filter((row) => row.kind === "student").length).toBeGreaterThanOrEqual(10);
    }
  });

  it("ends each conversation with the user and keeps all scores on their scales", () => {
    for (const row of rows[set]!) {
      expect(row.messages.at(-1)?.role, row.id).toBe("user");
      expect(
        row.messages.every((message) => message.content !== "" && !message.content.includes("{")),
        row.id,
      ).toBe(true);
      expect(row.reply).not.toMatch(/\{(?:topic|name|other|time)\}/);
      expect(row.label).toBeGreaterThanOrEqual(0);
      expect(row.label).toBeLessThanOrEqual(1);
      expect(Object.values(row.dimensions).every((value) => value >= 1 && value <= 5)).toBe(true);
    }
  });
});

it("no two sets share a family or a reply", () => {
  const owner = new Map<string, string>();
  for (const set of sets) {
    for (const row of rows[set]!) {
      for (const thing of [row.family, row.reply].filter((text) => text !== "")) {
        expect(owner.get(thing) ?? set, thing).toBe(set);
        owner.set(thing, set);
      }
    }
  }
});

it("the committed digests are those of the files", () => {
  expect(JSON.parse(readFileSync(join(rehearsalRoot, "DIGESTS.json"), "utf8"))).toEqual(digests());
});
