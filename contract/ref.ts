/** Data moves by reference: a stored file, named by its place and its content. */
export interface Ref {
  /** Path below the artifact root, `/`-separated. */
  readonly uri: string;
  /** Hex digest of the bytes; a reader refuses anything else. */
  readonly sha256: string;
  readonly bytes: number;
  /** Lines, for JSONL; null for anything else. */
  readonly rows: number | null;
}
