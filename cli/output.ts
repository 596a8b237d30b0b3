/** Where a command's words go: people read text, programs read JSON; with `--json` stdout holds nothing else. */
export interface Output {
  readonly json: boolean;
  /** A record for programs; a text for people. */
  result(record: unknown, text: string): void;
  /** A line for people; on stderr where stdout belongs to a program. */
  say(line: string): void;
}

export function commandOutput({ json }: { readonly json?: boolean | undefined }): Output {
  const asJson = json === true;
  return {
    json: asJson,
    result: (record, text) => {
      process.stdout.write(asJson ? `${JSON.stringify(record)}\n` : text === "" ? "" : `${text}\n`);
    },
    say: (line) => {
      (asJson ? process.stderr : process.stdout).write(`${line}\n`);
    },
  };
}
