import { isScalar, parseDocument } from "yaml";
import type { z } from "zod";
import { usageError } from "../errors.ts";
import type { Origin } from "./issues.ts";
import { keysAt } from "./keys.ts";
import { parseYaml, type YamlFile } from "./yaml.ts";

const prefix = "ATTUNE_SET_";

interface Change {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly origin: string;
}

/** The written configuration with what was set over it, and where each value came from. */
export interface Layered {
  readonly value: unknown;
  readonly origin: Origin;
}

/**
 * Layers, the later wins: file < environment (`ATTUNE_SET_CONVERSE__TURNS=2`) < `--set converse.turns=2`. Values are YAML.
 * @throws CliError (exit 2) naming a variable or flag that can't be applied
 */
export function layered(
  schema: z.ZodType,
  file: YamlFile,
  env: Readonly<Record<string, string | undefined>>,
  sets: readonly string[],
): Layered {
  const changes = [...environmentChanges(schema, env), ...sets.map(flagChange)];
  const value = changes.reduce((config, change) => put(config, change.path, change), structuredClone(file.value));
  const origin: Origin = (path) => {
    const change = changes.findLast((candidate) => candidate.path.every((key, i) => i >= path.length || key === String(path[i])));
    return change?.origin ?? file.where(path);
  };
  return { value, origin };
}

function flagChange(set: string): Change {
  const at = set.indexOf("=");
  if (at <= 0) throw usageError(`--set ${set}: write --set path.to.key=value, for example --set converse.turns=2.`);
  return { path: set.slice(0, at).split("."), value: scalar(set.slice(at + 1), `--set ${set}`), origin: "--set" };
}

/** Letters' case and single underscores don't matter in a variable; two underscores go a level down. */
function environmentChanges(schema: z.ZodType, env: Readonly<Record<string, string | undefined>>): readonly Change[] {
  return Object.entries(env)
    .filter((entry): entry is [string, string] => entry[0].startsWith(prefix) && entry[1] !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => {
      const path: string[] = [];
      for (const part of name.slice(prefix.length).split("__")) {
        const known = keysAt(schema, path);
        path.push(known.find((key) => bare(key) === bare(part)) ?? part.toLowerCase());
      }
      return { path, value: scalar(text, name), origin: name };
    });
}

const bare = (key: string) => key.replaceAll("_", "").toLowerCase();

function scalar(text: string, origin: string): unknown {
  const document = parseDocument(text, { schema: "core" });
  // An empty value is an empty text, not null.
  if (document.contents === null || (isScalar(document.contents) && text === "")) return "";
  return parseYaml(text, origin).value;
}

function put(config: unknown, path: readonly string[], change: Change): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change.value;
  if (["__proto__", "constructor", "prototype"].includes(key))
    throw usageError(`${change.origin}: the key ${key} is not allowed.`);
  if (Array.isArray(config)) {
    const index = Number(key);
    if (!Number.isInteger(index) || index < 0 || index >= config.length) {
      throw usageError(`${change.origin} ${change.path.join(".")}: ${key} is no index of a list of ${config.length}.`);
    }
    return config.map((item: unknown, i) => (i === index ? put(item, rest, change) : item));
  }
  if (config !== undefined && (typeof config !== "object" || config === null)) {
    throw usageError(`${change.origin} ${change.path.join(".")}: ${key} can't be set below ${JSON.stringify(config)}.`);
  }
  return { ...config, [key]: put((config as Readonly<Record<string, unknown>> | undefined)?.[key], rest, change) };
}
