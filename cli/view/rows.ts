import type { ConversationRow, PairRow, ScoredEvaluationRow, Sides } from "../../contract/rows.ts";
import type { Persona } from "../../domain/personas.ts";
import type { DatasetKind, Row } from "../data/rows.ts";
import { beside, columnsWide, harmless, labelled, wrap } from "./wrap.ts";

/** From this width on, the rejected reply stands beside the chosen one, else below it. */
const sideBySide = 100;

/** A row as people read it, wrapped to so many columns. */
export function rowText(kind: DatasetKind, row: Row, width: number): string {
  if (kind === "pairs") return pairText(row as unknown as PairRow, width);
  if (kind === "evaluation") return evaluationText(row as unknown as ScoredEvaluationRow, width);
  return conversationText(row as unknown as ConversationRow, width);
}

/** Between two rows. */
export const ruler = (width: number) => `\n${"─".repeat(width)}\n\n`;

function conversationText({ unit, family, plain, persona, turns }: ConversationRow, width: number): string {
  const said = turns.map(({ speaker, text }) => ({ name: speaker === "user" ? persona.name : "Assistant", text }));
  return [
    heading([unit, `family ${family}`, plain ? "plain replies" : "replies in the pattern"], width),
    about(persona, width),
    "",
    chat(said, width),
    "",
  ].join("\n");
}

const speakers = { system: "System", user: "User", assistant: "Assistant" };

function pairText({ unit, family, turn, style, prompt, chosen, rejected, judge, guide }: PairRow, width: number): string {
  const side = (which: keyof Sides) =>
    [
      which === "chosen" ? "chosen" : `rejected (${style})`,
      `judge ${score(judge[which])} · guide ${score(guide[which])}`,
      "",
      (which === "chosen" ? chosen : rejected).map(({ content }) => content).join("\n\n"),
    ].join("\n");
  const replies =
    width >= sideBySide
      ? beside(side("chosen"), side("rejected"), width)
      : [...wrap(side("chosen"), width), "", ...wrap(side("rejected"), width)].join("\n");
  const said = prompt.map(({ role, content }) => ({ name: speakers[role], text: content }));
  return [heading([unit, `turn ${turn}`, `family ${family}`], width), "", chat(said, width), "", replies, ""].join("\n");
}

function evaluationText(row: ScoredEvaluationRow, width: number): string {
  const { unit, arm, backbone, desired, family, split, persona, turns } = row;
  const said = turns.flatMap((turn) => [
    { name: persona.name, text: turn.userFault === null ? turn.user : `${turn.user} [${turn.userFault}]` },
    { name: "Assistant", text: turn.reply === "" ? "(nothing)" : turn.reply },
    { name: "", text: marks(turn) },
  ]);
  return [
    heading([unit, `arm ${arm}`, backbone, `desired ${score(desired)}`, `family ${family} (${split})`], width),
    about(persona, width),
    "",
    chat(said, width),
    "",
  ].join("\n");
}

/** `judge 0.34 · evaluator 0.14 · preference 0.67 · truncated` */
function marks({ judged, scores, empty, refused, truncated }: ScoredEvaluationRow["turns"][number]): string {
  return [
    judged.overall === null ? `not judged: ${judged.unscored ?? "no reason is recorded"}` : `judge ${score(judged.overall)}`,
    ...Object.entries(scores).map(([name, value]) => `${name} ${score(value)}`),
    ...(empty ? ["empty"] : []),
    ...(refused ? ["refused"] : []),
    ...(truncated ? ["truncated"] : []),
  ].join(" · ");
}

const heading = (parts: readonly string[], width: number) => wrap(parts.join(" · "), width).join("\n");

function about({ name, age, occupation, manner }: Persona, width: number): string {
  return wrap(`${name}, ${age}, ${occupation}; ${manner}`, width).join("\n");
}

function chat(said: readonly { readonly name: string; readonly text: string }[], width: number): string {
  const names = Math.min(20, Math.max(...said.map(({ name }) => columnsWide(harmless(name))), 0));
  return said.map(({ name, text }) => labelled(name, names, text, width)).join("\n");
}

const score = (value: number | null) => (value === null ? "none" : value.toFixed(2));
