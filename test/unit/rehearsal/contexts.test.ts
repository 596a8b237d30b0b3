import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { context as contextSchema } from "../../../configs/schema/context.ts";
import { contextIds, contextTitles, loadCorpus } from "../../../rehearsal/corpus.ts";

const corpus = loadCorpus();

it.each(contextIds)("the shipped context %s has the corpus's families, word for word", (id) => {
  const file = fileURLToPath(new URL(`../../../configs/contexts/${id}.yaml`, import.meta.url));
  const context = contextSchema.parse(parse(readFileSync(file, "utf8")));
  expect(context).toMatchObject({ id, title: contextTitles[id], illustrative: true });
  const played = corpus.families.filter(
    (family) => family.context === id && ["pairs", "validation", "test"].includes(family.part),
  );
  expect(context.families).toEqual(played.map((family) => ({ id: family.id, split: family.part, situation: family.situation })));
  for (const manner of context.personas.manners) {
    expect(
      corpus.voices.manners.some(({ word }) => word !== "" && manner.includes(word)),
      manner,
    ).toBe(true);
  }
});
