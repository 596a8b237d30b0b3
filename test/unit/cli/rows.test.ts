import { expect, test } from "vitest";
import type { Row } from "../../../cli/data/rows.ts";
import { rowText } from "../../../cli/view/rows.ts";
import { conversation, pair } from "../../support/dataset-run.ts";

test("a rejected reply stands beside the chosen one where there is room, else below it", () => {
  const row = pair("distress-00003", 2) as Row;
  expect(rowText("pairs", row, 120)).toMatch(
    /^distress-00003 · turn 2 · family distress-storm\n\nSystem {2}You help\.\n {2}User {2}The storm took the roof\.\n\nchosen +│ rejected \(over-warm\)\njudge 0\.50 · guide 0\.25 +│ judge 1\.00 · guide none\n +│\nRest first\. +│ Oh my dearest!\n$/,
  );
  expect(rowText("pairs", row, 80)).toMatch(
    /\nchosen\njudge 0\.50 · guide 0\.25\n\nRest first\.\n\nrejected \(over-warm\)\njudge 1\.00 · guide none\n\nOh my dearest!\n$/,
  );
});

test("a conversation is told by the persona's name", () => {
  expect(rowText("conversations", conversation("distress-00003") as Row, 80)).toMatch(
    /^distress-00003 · family distress-storm · replies in the pattern\nAnn, 30, a baker; curt\n\n {6}Ann {2}The/,
  );
});
