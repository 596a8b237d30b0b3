import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export const contextTitles = {
  distress: "Distressing / Social / Personal Situations",
  learning: "Learning Skills",
  career: "Work Issues / Career / Self-Improvement",
  writing: "Work Assignment / Help with Writing",
} as const;
export type ContextId = keyof typeof contextTitles;
export const contextIds = Object.keys(contextTitles) as ContextId[];

/** 1 cold · 2 plain · 3 considerate · 4 warm · 5 over-warm. */
export type Level = 1 | 2 | 3 | 4 | 5;
export const levels: readonly Level[] = [1, 2, 3, 4, 5];
export type FamilyPart = "pairs" | "validation" | "test" | "labels-guide" | "labels-evaluator" | "anchors";
export type ReplyPart = "pairs" | "labels" | "anchors";

export interface Family {
  readonly id: string;
  readonly context: ContextId;
  readonly part: FamilyPart;
  /** A noun phrase for "about {topic}". */
  readonly topic: string;
  readonly situation: string;
  /** Beats in order, each in several wordings. */
  readonly user: readonly (readonly string[])[];
  /** Neutral help for the same beats. */
  readonly help: readonly (readonly string[])[];
}

export interface Reply {
  readonly construction: string;
  readonly text: string;
}

interface Closing {
  readonly user: string;
  readonly help: string;
}

interface Voices {
  readonly others: readonly string[];
  readonly times: readonly string[];
  readonly manners: readonly { readonly word: string; readonly starters: readonly string[] }[];
  readonly closings: Readonly<Record<ContextId, readonly Closing[]>>;
}

export interface Corpus {
  readonly families: readonly Family[];
  readonly replies: Readonly<Record<ContextId, Readonly<Record<ReplyPart, Readonly<Record<Level, readonly Reply[]>>>>>>;
  readonly voices: Voices;
  /** sha256 over all that answers are made of and by: corpus, the judge's rules, code. */
  readonly digest: string;
}

export const rehearsalRoot = import.meta.dirname;

/** The files that answers are made of, relative to rehearsal/. */
export const corpusFiles: readonly string[] = [
  ...contextIds.flatMap((context) => [`corpus/${context}/families.yaml`, `corpus/${context}/replies.yaml`]),
  "corpus/voices.yaml",
];
export const judgeFiles: readonly string[] = ["judge/rules.yaml"];
/** The code that answers; another version may give other answers. */
export const codeFiles: readonly string[] = [
  "answer.ts",
  "beats.ts",
  "random.ts",
  "text.ts",
  "roles/assistant.ts",
  "roles/persona.ts",
  "roles/simulated-user.ts",
  "judge/features.ts",
  "judge/judge.ts",
  "judge/rules.ts",
];

/** sha256 over names and contents, in the order given. */
export function filesDigest(files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(`${file}\n`).update(readFileSync(join(rehearsalRoot, file)));
  return hash.digest("hex");
}

function readYaml<T>(file: string): T {
  return parse(readFileSync(join(rehearsalRoot, file), "utf8")) as T;
}

type RawReplies = Record<ReplyPart, Record<Level, Record<string, string[]>>>;

function readReplies(context: ContextId): Corpus["replies"][ContextId] {
  const raw = readYaml<RawReplies>(`corpus/${context}/replies.yaml`);
  const flat = (part: ReplyPart, level: Level): Reply[] =>
    Object.entries(raw[part][level]).flatMap(([construction, texts]) => texts.map((text) => ({ construction, text })));
  const part = (name: ReplyPart) => ({
    1: flat(name, 1),
    2: flat(name, 2),
    3: flat(name, 3),
    4: flat(name, 4),
    5: flat(name, 5),
  });
  return { pairs: part("pairs"), labels: part("labels"), anchors: part("anchors") };
}

/** Reads the written corpus; its shape is checked by test/unit/rehearsal/corpus.test.ts, not at every start. */
export function loadCorpus(): Corpus {
  return {
    families: contextIds.flatMap((context) =>
      readYaml<Omit<Family, "context">[]>(`corpus/${context}/families.yaml`).map((family) => ({ ...family, context })),
    ),
    replies: {
      distress: readReplies("distress"),
      learning: readReplies("learning"),
      career: readReplies("career"),
      writing: readReplies("writing"),
    },
    voices: readYaml<Voices>("corpus/voices.yaml"),
    digest: filesDigest([...corpusFiles, ...judgeFiles, ...codeFiles]),
  };
}
