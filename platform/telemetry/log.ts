/** Structured lines on stderr; fields are small and never text of conversations. */
export interface Logger {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

type Level = "INFO" | "WARN" | "ERROR";

/** One line a message: time, level, text, then fields as JSON. Values of the named environment variables are masked. */
export function consoleLogger(secretEnvs: readonly string[] = []): Logger {
  const secrets = secretEnvs
    .map((name) => process.env[name])
    .filter((value): value is string => value !== undefined && value.length >= 6);
  const write = (level: Level, message: string, fields: Readonly<Record<string, unknown>> = {}) => {
    const tail = Object.keys(fields).length === 0 ? "" : ` ${JSON.stringify(fields)}`;
    const line = `${new Date().toISOString()} ${level} ${message.replaceAll("\n", "\\n")}${tail}\n`;
    process.stderr.write(secrets.reduce((text, secret) => text.replaceAll(secret, "***"), line));
  };
  return {
    info: (message, fields) => write("INFO", message, fields),
    warn: (message, fields) => write("WARN", message, fields),
    error: (message, fields) => write("ERROR", message, fields),
  };
}
