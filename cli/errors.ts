/** What a script may rely on. `gateNotMet`: the run finished and a gate of its own did not pass. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  precheck: 3,
  held: 4,
  cancelled: 5,
  gateNotMet: 100,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends the command with its message on stderr and this exit code; the message says what to do. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: ExitCode;
  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export const usageError = (message: string) => new CliError(exitCodes.usage, message);
export const precheckError = (message: string, cause?: unknown) => new CliError(exitCodes.precheck, message, { cause });
