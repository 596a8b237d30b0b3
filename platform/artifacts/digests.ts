import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { DigestMismatchError } from "./store.ts";

/** Hex sha256, or null when the file is not there. */
export async function digestFile(file: string): Promise<string | null> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  } catch (error) {
    return orMissing(error as Error);
  }
  return hash.digest("hex");
}

export function orMissing(error: Error): null {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
  throw error;
}

/** What is stored is not what its reference says. */
export function mismatch(uri: string, found: string | null, expected: string): DigestMismatchError {
  return new DigestMismatchError(
    uri,
    found === null ? "is missing" : `was altered: its digest is ${short(found)}, not ${short(expected)}`,
  );
}

/** There is other content under this uri already. */
export function differs(uri: string, found: string | null, wanted: string): DigestMismatchError {
  return new DigestMismatchError(uri, `exists with other content (${short(found)}, not ${short(wanted)})`);
}

function short(digest: string | null): string {
  return digest?.slice(0, 12) ?? "gone";
}
