import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { contextIds, levels, rehearsalRoot, type ContextId, type Corpus, type Family, type Level, type Reply } from "./corpus.ts";
import { dimensions, type Dimension } from "./judge/rules.ts";
import { pick, seeded } from "./random.ts";
import { fillReply } from "./roles/assistant.ts";

export const sets = ["guide", "evaluator", "anchors"] as const;
export type LabelSet = (typeof sets)[number];
type Kind = "cold" | "graded" | "over-warm" | "help-only" | "off-topic" | "keyword-stuffed" | "empty" | "student";

/** A reply scored by its author under corpus/rubric.yaml; `messages` ends with the user's. */
export interface LabelRow {
  readonly id: string;
  readonly context: ContextId;
  readonly family: string;
  readonly kind: Kind;
  readonly messages: readonly { readonly role: "user" | "assistant"; readonly content: string }[];
  readonly reply: string;
  /** (level - 1) / 4. */
  readonly label: number;
  readonly dimensions: Readonly<Record<Dimension, number>>;
}

/** An answer that the student really gave, scored by hand. */
interface StudentAnswer {
  readonly set: LabelSet;
  readonly family: string;
  /** The beat and the wording that was asked, from 0. */
  readonly beat: number;
  readonly wording: number;
  readonly reply: string;
  /** 1–5, halves allowed. */
  readonly level: number;
}

interface Rubric {
  readonly constructions: Readonly<Record<string, Readonly<Record<Dimension, number>>>>;
  readonly helpOnly: Readonly<Record<ContextId, number>>;
  readonly offTopic: number;
  readonly keywordStuffed: number;
  readonly empty: number;
}
type Foreign = Readonly<Record<LabelSet, { readonly offTopic: readonly string[]; readonly stuffed: readonly string[] }>>;

function read<T>(file: string): T {
  return parse(readFileSync(join(rehearsalRoot, "corpus", file), "utf8")) as T;
}

/** The students were asked with these names and times. */
const studentAsked = (text: string): string =>
  text.replaceAll("{name}", "Kim").replaceAll("{other}", "Dana").replaceAll("{time}", "last Friday");

const round = (value: number): number => Math.round(value * 1e4) / 1e4;

function ratings(level: number, offsets: Readonly<Record<Dimension, number>> | undefined): LabelRow["dimensions"] {
  const rated = dimensions.map((dimension) => [dimension, Math.min(5, Math.max(1, level + (offsets?.[dimension] ?? 0)))]);
  return Object.fromEntries(rated) as Record<Dimension, number>;
}

/** The sentences of a set: anchors have their own; guide and evaluator share the sentences for labels out by turns. */
function sentences(corpus: Corpus, set: LabelSet, context: ContextId, level: Level): readonly Reply[] {
  if (set === "anchors") return corpus.replies[context].anchors[level];
  return corpus.replies[context].labels[level].filter((_, at) => at % 2 === (set === "guide" ? 0 : 1));
}

/** All rows of a set, in a fixed order; a function of the corpus and of the set's name. */
export function labelRows(corpus: Corpus, set: LabelSet): LabelRow[] {
  const rubric = read<Rubric>("rubric.yaml");
  const foreign = read<Foreign>("foreign.yaml")[set];
  const students = read<StudentAnswer[] | null>("students.yaml") ?? [];
  const rows: LabelRow[] = [];

  for (const context of contextIds) {
    const part = set === "anchors" ? set : (`labels-${set}` as const);
    const families = corpus.families.filter((family) => family.context === context && family.part === part);
    const next = seeded("labels", set, context);
    const graded = levels.flatMap((level) => sentences(corpus, set, context, level).map((reply) => ({ level, reply })));
    const fill = (text: string) =>
      text
        .replaceAll("{name}", "Kim")
        .replaceAll("{other}", pick(corpus.voices.others, next))
        .replaceAll("{time}", pick(corpus.voices.times, next));
    let count = 0;

    const history = (family: Family, turns: number): LabelRow["messages"] =>
      Array.from({ length: turns }, (_, at) => [
        { role: "user" as const, content: fill(pick(family.user[at] ?? [], next)) },
        {
          role: "assistant" as const,
          content: `${fillReply(pick(graded, next).reply.text, family.topic)} ${pick(family.help[at] ?? [], next)}`,
        },
      ])
        .flat()
        .slice(0, -1);

    const add = (
      kind: Kind,
      level: number,
      write: (family: Family, help: string) => string,
      offsets?: Readonly<Record<Dimension, number>>,
    ): void => {
      const family = pick(families, next);
      const turns = 1 + Math.floor(next() * 3);
      const messages = history(family, turns);
      const reply = write(family, pick(family.help[turns - 1] ?? [], next));
      rows.push({
        id: `${set}-${context}-${String(++count).padStart(3, "0")}`,
        context,
        family: family.id,
        kind,
        messages,
        reply,
        label: round((level - 1) / 4),
        dimensions: ratings(level, offsets),
      });
    };

    for (const { level, reply } of graded) {
      const kind = level === 1 ? "cold" : level === 5 ? "over-warm" : "graded";
      const order = next();
      add(
        kind,
        level,
        (family, help) => {
          const text = fillReply(reply.text, family.topic);
          if (order < 0.12) return text;
          return order < 0.24 ? `${help} ${text}` : `${text} ${help}`;
        },
        rubric.constructions[reply.construction],
      );
    }
    for (let at = 0; at < 5; at++) add("help-only", rubric.helpOnly[context], (_, help) => help);
    for (const text of foreign.offTopic) add("off-topic", rubric.offTopic, () => text);
    for (const text of foreign.stuffed) add("keyword-stuffed", rubric.keywordStuffed, (family) => fillReply(text, family.topic));
    for (let at = 0; at < 2; at++) add("empty", rubric.empty, () => "");

    for (const answer of students.filter((student) => student.set === set)) {
      const family = families.find(({ id }) => id === answer.family);
      if (family === undefined) continue;
      const content = studentAsked(family.user[answer.beat]?.[answer.wording] ?? "");
      rows.push({
        id: `${set}-${context}-${String(++count).padStart(3, "0")}`,
        context,
        family: family.id,
        kind: "student",
        messages: [{ role: "user", content }],
        reply: answer.reply,
        label: round((answer.level - 1) / 4),
        dimensions: ratings(answer.level, undefined),
      });
    }
  }
  return rows;
}

/** Where a set is committed, relative to rehearsal/. */
export function labelFile(set: LabelSet): string {
  return set === "anchors" ? "corpus/anchors.jsonl" : `corpus/labels-${set}.jsonl`;
}

/** A set as it is committed: one JSON row a line. */
export function labelText(corpus: Corpus, set: LabelSet): string {
  return labelRows(corpus, set)
    .map((row) => `${JSON.stringify(row)}\n`)
    .join("");
}
