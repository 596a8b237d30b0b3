/** The store can't be used: `address` a wrong setting, `precheck` what it names can't be reached or used. The message says what to do. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly kind: "address" | "precheck";
  constructor(kind: "address" | "precheck", message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }
}
