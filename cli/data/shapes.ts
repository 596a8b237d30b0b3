import type { ConversationRow } from "../../contract/rows.ts";
import { dimensions } from "../../domain/levels.ts";
import { projectFor } from "../../domain/transcript.ts";
import { type Columns, flag, integer, list, number, struct, text } from "../../platform/parquet.ts";
import type { DatasetKind, Row } from "./rows.ts";

/** A row as other tools read it: TRL's `messages` for a conversation; pairs have its `prompt`, `chosen` and `rejected` already. */
export function exported(kind: DatasetKind, row: Row): Row {
  if (kind !== "conversations") return row;
  const { turns, ...rest } = row as Row & ConversationRow;
  return { messages: projectFor("assistant", turns), ...rest };
}

const messages = list(struct({ role: text, content: text }));
const persona = struct({ name: text, age: integer, occupation: text, manner: text, prose: text });
const sides = struct({ chosen: number, rejected: number });
const judged = struct({
  overall: number,
  dimensions: struct(Object.fromEntries(dimensions.map((name) => [name, number]))),
  unscored: text,
});

/** Columns of the exported rows. They are written down, not guessed from the rows, so that files of two runs can be joined. */
export const columnsOf: Record<DatasetKind, Columns> = {
  conversations: { messages, unit: text, context: text, family: text, split: text, plain: flag, persona },
  pairs: {
    prompt: messages,
    chosen: messages,
    rejected: messages,
    unit: text,
    family: text,
    turn: integer,
    style: text,
    judge: sides,
    guide: sides,
  },
  evaluation: {
    unit: text,
    context: text,
    family: text,
    split: text,
    backbone: text,
    arm: text,
    model: text,
    desired: number,
    persona,
    turns: list(
      struct({
        turn: integer,
        user: text,
        userFault: text,
        reply: text,
        finishReason: text,
        empty: flag,
        refused: flag,
        truncated: flag,
        judged,
        scores: struct({ evaluator: number, preference: number }),
      }),
    ),
  },
};
