import type { Ref } from "../../contract/ref.ts";

/** Immutable files by uri below one root. Every read checks the digest. */
export interface ArtifactStore {
  /** Atomic. The same content again is fine; other content under the same uri is an error. */
  put(uri: string, content: string | Uint8Array): Promise<Ref>;
  /** One JSON text a line, taken as they come; `rows` is counted. A uri that depends on the content is asked for after the last row. */
  putLines(uri: string | ((sha256: string) => string), rows: Iterable<unknown> | AsyncIterable<unknown>): Promise<Ref>;
  putFile(uri: string, localFile: string): Promise<Ref>;
  /** @throws DigestMismatchError naming the file */
  read(ref: Ref): Promise<Buffer>;
  /** Parsed JSON values, in order. */
  readLines(ref: Ref): AsyncIterable<unknown>;
  /** A local file with the verified content, for jobs; never to be written to. */
  localPath(ref: Ref): Promise<string>;
  /** True when the file is there with its digest. */
  verify(ref: Ref): Promise<boolean>;
  exists(uri: string): Promise<boolean>;
  remove(uri: string): Promise<void>;
}

/** A folder is stored as its files and an index of them; the index's ref stands for the folder. */
export interface FolderIndex {
  readonly files: readonly { readonly path: string; readonly ref: Ref }[];
}

/** A stored file is missing or not what its reference says. */
export class DigestMismatchError extends Error {
  override readonly name = "DigestMismatchError";
  readonly uri: string;
  constructor(uri: string, problem: string) {
    super(`Artifact ${uri} ${problem}. Remove it and run the experiment again: only what is missing is rebuilt.`);
    this.uri = uri;
  }
}
