import { z } from "zod";

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** Keys that a schema allows at a path; empty where any key or none is allowed. */
export function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  const root = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema;
  const nodes = path.reduce<readonly JsonSchema[]>(
    (level, key) => level.flatMap(variants).flatMap((node) => below(node, key)),
    [root],
  );
  return [...new Set(nodes.flatMap(variants).flatMap((node) => Object.keys(node.properties ?? {})))];
}

function variants(node: JsonSchema): readonly JsonSchema[] {
  return [node, ...[...(node.anyOf ?? []), ...(node.allOf ?? []), ...(node.oneOf ?? [])].flatMap(variants)];
}

function below(node: JsonSchema, key: PropertyKey): readonly JsonSchema[] {
  if (typeof key === "number") return typeof node.items === "object" ? [node.items] : [];
  const own = node.properties?.[String(key)];
  if (own !== undefined) return [own];
  return typeof node.additionalProperties === "object" ? [node.additionalProperties] : [];
}
