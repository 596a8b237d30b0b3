import { humanRow, type HumanRow } from "../../configs/schema/human-data.ts";
import type { Rating } from "../../domain/measurement.ts";
import { mean } from "../../domain/measurement.ts";

interface RowProblem {
  /** From 1. */
  readonly line: number;
  readonly field: string;
  readonly problem: string;
}

export interface HumanData {
  readonly rows: readonly HumanRow[];
  readonly problems: readonly RowProblem[];
}

/** Reads JSONL, row by row: what can't be used is reported by line and field, never guessed. */
export function readHumanData(text: string): HumanData {
  const rows: HumanRow[] = [];
  const problems: RowProblem[] = [];
  const seen = new Set<string>();
  for (const [index, source] of text.split("\n").entries()) {
    if (source.trim() === "") continue;
    const line = index + 1;
    const value = parse(source);
    if (value === undefined) {
      problems.push({ line, field: "", problem: "is no JSON" });
      continue;
    }
    const parsed = humanRow.safeParse(value);
    if (!parsed.success) {
      problems.push(...parsed.error.issues.map((issue) => ({ line, field: issue.path.join("."), problem: issue.message })));
      continue;
    }
    const key = `${parsed.data.participant}\n${parsed.data.task}`;
    if (seen.has(key)) {
      problems.push({ line, field: "task", problem: `participant ${parsed.data.participant} has this task already` });
      continue;
    }
    seen.add(key);
    rows.push(parsed.data);
  }
  return { rows, problems };
}

function parse(source: string): unknown {
  try {
    return JSON.parse(source) as unknown;
  } catch {
    return undefined;
  }
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
