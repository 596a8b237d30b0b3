import { realpath } from "node:fs/promises";
import { dirname, join, sep } from "node:path";

const segment = "[A-Za-z0-9_][A-Za-z0-9._@-]*";
const allowedUri = new RegExp(`^${segment}(?:/${segment})*$`);

/** Stands for the digest where a uri that depends on its content is named before that is known. */
export const noDigest = "0".repeat(64);

/** A uri by the digest of its content, which most don't depend on. */
export const namer = (uri: string | ((sha256: string) => string)): ((sha256: string) => string) =>
  typeof uri === "string" ? () => uri : uri;

/**
 * A uri is an allow-list of path segments, wherever its content lies.
 * @throws when it is not allowed
 */
export function checkUri(uri: string): void {
  if (uri.length <= 400 && allowedUri.test(uri)) return;
  throw new Error(
    `Artifact uri ${JSON.stringify(uri)} is not allowed: use relative paths of letters, digits and . _ - @, no part beginning with a dot`,
  );
}

/**
 * The file of `uri` below `root`. No symbolic link on the way may lead out of the root.
 * @throws when the uri is not allowed or its place is outside
 */
export async function placeOf(root: string, uri: string): Promise<string> {
  checkUri(uri);
  const file = join(root, ...uri.split("/"));
  const base = await realpath(root);
  const there = await nearestReal(file);
  if (there !== base && !there.startsWith(base + sep))
    throw new Error(`Artifact ${uri} would lie outside ${root}: a symbolic link on the way leads out`);
  return file;
}

/** Where the deepest part of `path` that exists really is. */
async function nearestReal(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(path) === path) throw error;
    return nearestReal(dirname(path));
  }
}
