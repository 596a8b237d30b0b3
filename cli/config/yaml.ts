import { readFile, stat } from "node:fs/promises";
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document, visit } from "yaml";
import { utf8Text } from "../../configs/schema/jsonl.ts";
import { usageError } from "../errors.ts";

const maxBytes = 1024 * 1024;
/** Aliases may stand for repeated settings; nested ones that multiply are an attack or a mistake. */
const maxAliases = 50;
const forbiddenKeys = new Set(["__proto__", "constructor", "prototype"]);

/** A parsed file, and where its values stand in it. */
export interface YamlFile {
  readonly file: string;
  readonly value: unknown;
  /** `file:line` of a path in the document, or of the nearest part that is there. */
  where(path: readonly PropertyKey[]): string;
}

/**
 * Reads YAML 1.2 (core: `NO` is a text) without surprises: one document, unique keys, no tags, no prototype keys, finite numbers, 1 MB at most.
 * @throws CliError (exit 2) naming file, line and problem
 */
export async function readYaml(file: string): Promise<YamlFile> {
  return parseYaml(await readText(file), file);
}

/** The same for text that was read elsewhere. */
export function parseYaml(text: string, file: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: "1.2",
    schema: "core",
    uniqueKeys: true,
    lineCounter: lines,
    prettyErrors: false,
    merge: false,
    customTags: [],
  });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    throw usageError(`${file}:${lines.linePos(problem.pos[0]).line}: ${problem.message.split("\n")[0]}.`);
  }
  const where = (path: readonly PropertyKey[]) => `${file}:${lineOf(document, lines, path)}`;
  refusePoison(document, file, lines);
  try {
    return { file, value: document.toJS({ maxAliasCount: maxAliases }) as unknown, where };
  } catch (error) {
    throw usageError(`${file}: ${error instanceof Error ? error.message : String(error)}. Write repeated parts out.`);
  }
}

/** Text of a UTF-8 file. @throws CliError (exit 2) when it is absent, too large or not text */
export async function readText(file: string): Promise<string> {
  const info = await stat(file).catch(() => null);
  if (info === null) throw usageError(`${file} does not exist.`);
  if (!info.isFile()) throw usageError(`${file} is not a file.`);
  if (info.size > maxBytes)
    throw usageError(`${file} has ${(info.size / maxBytes).toFixed(1)} MB; configuration files have 1 MB at most.`);
  const text = utf8Text(await readFile(file));
  if (text === null) throw usageError(`${file} is not UTF-8 text; save it as UTF-8.`);
  return text;
}

function refusePoison(document: Document, file: string, lines: LineCounter): void {
  const at = (node: unknown) => `${file}:${isNode(node) && node.range ? lines.linePos(node.range[0]).line : 1}`;
  visit(document, {
    Pair: (_, pair) => {
      if (!isScalar(pair.key)) throw usageError(`${at(pair.key)}: a key must be a plain text.`);
      const { value } = pair.key;
      if (forbiddenKeys.has(String(value))) throw usageError(`${at(pair.key)}: the key ${String(value)} is not allowed.`);
    },
    Scalar: (_, node) => {
      if (typeof node.value === "number" && !Number.isFinite(node.value)) {
        throw usageError(`${at(node)}: ${node.source ?? String(node.value)} is not a finite number.`);
      }
      if (typeof node.value === "string" && node.value.includes("\0"))
        throw usageError(`${at(node)}: a text holds a NUL character.`);
    },
  });
}

function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth > 0; depth--) {
    const key = path[depth - 1];
    const parent: unknown = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true);
    const pair = isMap(parent) ? parent.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
    const node: unknown = pair === undefined ? document.getIn(path.slice(0, depth), true) : pair.key;
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}
