import { readFileSync } from "node:fs";
import { Command } from "commander";
import { CliError, exitCodes } from "./errors.ts";
import { registerCommands } from "./commands.ts";

const program = new Command("attune")
  .description("Alignment experiments as durable workflows: measure, converse, steer, train, evaluate, report.")
  .version(version(), "--version", "print the version")
  .showHelpAfterError("(attune --help shows the commands)")
  .showSuggestionAfterError()
  .exitOverride()
  .helpCommand(true);
registerCommands(program);

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

function version(): string {
  const { version: found } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  return found;
}

/** Says what went wrong on stderr, once, and which exit code it is. */
function exitCodeOf(error: unknown): number {
  // Commander has printed its own words already.
  if (isCommanderError(error)) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
  if (error instanceof CliError) {
    process.stderr.write(`attune: ${error.message}\n`);
    return error.exitCode;
  }
  process.stderr.write(
    `attune: ${error instanceof Error ? (process.env["ATTUNE_DEBUG"] === undefined ? error.message : error.stack) : String(error)}\n`,
  );
  return exitCodes.failed;
}

function isCommanderError(error: unknown): error is { code: string; exitCode: number } {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    error.code.startsWith("commander.") &&
    "exitCode" in error
  );
}
