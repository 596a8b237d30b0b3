import { mean, type Rating } from "../../domain/measurement.ts";
import { humanRow, type HumanRow } from "./human-data.ts";
import { type Placed, readRows, type RowProblem, type Rows } from "./jsonl.ts";

/** Rows of human data; a participant has a task once, so a second row of both is a problem. */
export function readHumanData(text: string): Rows<HumanRow> {
  const { rows, problems } = readRows(humanRow, text);
  const seen = new Set<string>();
  const used: Placed<HumanRow>[] = [];
  const repeated: RowProblem[] = [];
  for (const row of rows) {
    const key = `${row.participant}\n${row.task}`;
    if (seen.has(key))
      repeated.push({ line: row.line, field: "task", problem: `participant ${row.participant} has this task already` });
    else used.push(row);
    seen.add(key);
  }
  return { rows: used, problems: [...problems, ...repeated].toSorted((a, b) => a.line - b.line) };
}

export function toRating(row: HumanRow): Rating {
  const given = (values: readonly (number | string | undefined)[]) => values.filter((value) => typeof value === "number");
  const empathy = given(Object.values(row.empathy ?? {}));
  const satisfied = given([row.experience?.successful, row.experience?.positiveInteraction]);
  return {
    participant: row.participant,
    model: row.model,
    context: row.context,
    desired: row.desiredEmpathy,
    experienced: empathy.length === 0 ? null : mean(empathy),
    satisfied: satisfied.length === 0 ? null : mean(satisfied),
  };
}
