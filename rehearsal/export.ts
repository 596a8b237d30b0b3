import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadCorpus, rehearsalRoot } from "./corpus.ts";
import { digests } from "./digests.ts";
import { labelFile, labelText, sets } from "./export-rows.ts";

// Writes the label sets and the digests anew; both are committed, and a test compares them with what this makes.
const corpus = loadCorpus();
for (const set of sets) {
  const text = labelText(corpus, set);
  writeFileSync(join(rehearsalRoot, labelFile(set)), text);
  process.stdout.write(`${labelFile(set)}: ${text.split("\n").length - 1} rows\n`);
}
const made = digests();
writeFileSync(join(rehearsalRoot, "DIGESTS.json"), `${JSON.stringify(made, null, 2)}\n`);
process.stdout.write(`${JSON.stringify(made)}\n`);
