import type { Ref } from "../../contract/ref.ts";
import { badData } from "../failures.ts";

/** Uri prefix of an adapter's folder: immutable, and the same in every run that trains the same thing. */
export function adapterUri({ backbone, context, digest8 }: { backbone: string; context: string; digest8: string }): string {
  return `adapters/${backbone}/${context}/${digest8}`;
}

/** What the server calls it: `<context>-<digest8>`. */
export function adapterName(context: string, digest8: string): string {
  return `${context}-${digest8}`;
}

/** The parts of an adapter's place, read from the ref of its folder's index. */
export function adapterPlace(ref: Ref): { backbone: string; context: string; digest8: string } {
  const [, backbone, context, digest8] = /^adapters\/([^/]+)\/([^/]+)\/([0-9a-f]{8})\/index\.json$/.exec(ref.uri) ?? [];
  if (backbone === undefined || context === undefined || digest8 === undefined)
    throw badData(`${ref.uri} is not the index of an adapter's folder.`);
  return { backbone, context, digest8 };
}
