import { type AnsweredRole, modelWarnings } from "../../../../domain/answered-models.ts";
import { fingerprintNotes } from "../../../../domain/fingerprints.ts";
import { count } from "../format.ts";
import { type Markup, markup } from "../markup.ts";
import { table } from "../table.ts";

/** Stands above everything when other models spoke than were asked for, or several in one role. */
export function modelsBanner(roles: readonly AnsweredRole[]): Markup | null {
  const warnings = modelWarnings(roles);
  if (warnings.length === 0) return null;
  return markup`<div class="banner" role="note"><b>Models changed</b>${warnings.map((warning) => markup`<div>${warning}.</div>`)}Texts and ratings of different models do not compare: set the models by their dated names and run again before anything is concluded.</div>`;
}

const states = {
  "as asked": "as asked for",
  revision: "a dated version of it",
  other: "another model",
  mix: "several models in one run",
} as const;

/** Role by role: what was asked for, and who answered how often since which stage. */
export function answeredTable(roles: readonly AnsweredRole[]): Markup {
  const notes = fingerprintNotes(roles);
  const answeredBy = table(
    ["Role", "Asked for", "Answered by", "Answers", "Since", "Fingerprints", ""],
    roles.flatMap(({ role, asked, answered, state }) =>
      answered.map(({ model, answers, stages, fingerprints }, i) => [
        i === 0 ? role : "",
        i === 0 ? asked : "",
        model,
        count(answers),
        stages[0] ?? "–",
        count(fingerprints?.distinct ?? null),
        i === 0 ? markup`<span class="chip${state === "mix" || state === "other" ? " bad" : ""}">${states[state]}</span>` : "",
      ]),
    ),
    { text: [1, 2, 4, 6] },
  );
  return markup`${answeredBy}${notes.map((note) => markup`<p>${note}.</p>`)}${notes.length === 0 ? null : markup`<p>A provider changes the fingerprint with its machines, its builds or the weights behind a name, and does not say which: texts and ratings under different ones may not compare.</p>`}`;
}
