import { type Command, InvalidArgumentError, Option } from "commander";
import { exportFormats, piiPolicies } from "./data/rows.ts";
import { noun } from "./noun.ts";

/** `attune data …`: what a run made. */
export function registerData(program: Command): void {
  const { command } = noun(program, "data", "look at what a run made, compare it and take it elsewhere");
  const load = () => import("./commands/data.ts");
  command("ls <run>", "the datasets of a run: rows, size, digest, card and file").action(async (run, options) =>
    (await load()).ls(run, options),
  );
  command("show <run> <dataset>", "its rows as chats, or those of one unit")
    .option("--unit <id>", "one unit, like distress-00007; where it is missing, why")
    .action(async (run, dataset, options) => (await load()).show(run, dataset, options));
  command("sample <run> <dataset>", "a few rows as chats, drawn at random")
    .option("-n, --number <n>", "how many", atLeast(1), 3)
    .option("--seed <n>", "draw the same again", atLeast(0))
    .action(async (run, dataset, options) => (await load()).sample(run, dataset, options));
  command("diff <run-a> <run-b> <dataset>", "rows that only one of two runs has, and rows that differ").action(
    async (a, b, dataset, options) => (await load()).diff(a, b, dataset, options),
  );
  command("export <run> <dataset>", "copy a dataset and its card to a new folder, in the forms that TRL reads")
    .requiredOption("--to <folder>", "a new or empty folder")
    .addOption(new Option("--format <format>", "files to write").choices(exportFormats).default("both"))
    .addOption(new Option("--pii <policy>", "what becomes of text that looks personal").choices(piiPolicies).default("block"))
    .action(async (run, dataset, options) => (await load()).exportTo(run, dataset, options));
}

/** `attune cache …`: the call store. */
export function registerCache(program: Command): void {
  const { command, onlyKnown } = noun(program, "cache", "the recorded calls, which no run pays for again");
  const load = () => import("./commands/cache.ts");
  command("ls", "recorded calls by run: tokens, cost, size, when they were last used", { isDefault: true }).action(
    async (options) => (await load()).ls(options),
  );
  command("prune", "remove the recorded calls of runs; several selectors narrow each other; calls that an open run uses stay")
    .option("--run <run>", "one run, as `cache ls` names it")
    .option("--older-than <age>", "runs that used no call for so long: 12h, 30d, 8w", age)
    .option("--unknown", "runs that this data directory has not launched")
    .option("--dry-run", "only say what would go and what it is worth")
    .option("--yes", "remove it")
    .action(async (options) => (await load()).prune(options));
  onlyKnown();
}

const atLeast = (least: number) => (written: string) => {
  const value = Number(written);
  if (!Number.isSafeInteger(value) || value < least) throw new InvalidArgumentError(`It is a whole number from ${least}.`);
  return value;
};

const hours: Readonly<Record<string, number>> = { h: 1, d: 24, w: 24 * 7 };

/** `30d` in milliseconds. */
function age(written: string): number {
  const [, number = "", unit = ""] = /^(\d{1,6})([hdw])$/.exec(written) ?? [];
  const hoursOf = hours[unit];
  if (hoursOf === undefined) throw new InvalidArgumentError("Write a number and h, d or w: 12h, 30d, 8w.");
  return Number(number) * hoursOf * 3_600_000;
}
