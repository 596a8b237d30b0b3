import type { Command } from "commander";
import { noun } from "./noun.ts";
import { registerCache, registerData } from "./stores.ts";

/** Every command's words and flags; its code is loaded when it is called. */
export function registerCommands(program: Command): void {
  const command = (words: string, description: string) =>
    program.command(words).description(description).option("--json", "machine output: stdout holds JSON only");
  const list = (value: string, before: readonly string[] = []) => [...before, value];

  command("dev", "run server, rehearsal teacher and workers on this machine until Ctrl-C").action(async (options) =>
    (await import("./commands/dev.ts")).dev(options),
  );
  command("plan <file>", "what a run would ask, use, cost and reuse; nothing is paid or started")
    .option("--set <path=value>", "set a key over file and environment; may be repeated", list)
    .action(async (file, options) => (await import("./commands/plan.ts")).plan(file, options));
  command("run <file>", "start an experiment, or attach to it when it is open, and follow it to its end")
    .option("--set <path=value>", "set a key over file and environment; may be repeated", list)
    .option("--until <stage>", "stop after this stage; a later run goes on from there")
    .option("--rebuild <stage>", "drop the records of a stage or piece and of all that is made from it, then run")
    .option("--extend", "refuse to start unless it only adds contexts, backbones, arms or conversations to an earlier run")
    .option("--detach", "start and leave it running")
    .action(async (file, options) => (await import("./commands/run.ts")).run(file, options));
  command("quickstart", "the rehearsal experiment through every stage, on a stack of its own")
    .option("--set <path=value>", "set a key over file and environment; may be repeated", list)
    .action(async (options) => (await import("./commands/quickstart.ts")).quickstart(options));
  command("status <run>", "where a run is: by name (its newest), name/digest or workflow id")
    .option("--follow", "keep showing it until it ends")
    .action(async (run, options) => (await import("./commands/status.ts")).status(run, options));
  command("ls", "runs of this data directory and of the server").action(async (options) =>
    (await import("./commands/ls.ts")).ls(options),
  );
  command("show <run>", "what a run is made of and what each piece came to").action(async (run, options) =>
    (await import("./commands/show.ts")).show(run, options),
  );
  command("logs <run> [job]", "the run's jobs on this machine, or what one printed last").action(async (run, job, options) =>
    (await import("./commands/logs.ts")).logs(run, job, options),
  );
  command("report <run>", "the gap table and where the report lies").action(async (run, options) =>
    (await import("./commands/report.ts")).report(run, options),
  );
  command("pause <run>", "start nothing new in a run; what runs ends").action(async (run, options) =>
    (await import("./commands/control.ts")).steerRun("pause", run, options),
  );
  command("resume <run>", "let a paused or held run go on").action(async (run, options) =>
    (await import("./commands/control.ts")).steerRun("resume", run, options),
  );
  command("retry <run>", "let each turn take more samples; units that gave up are tried again until their stage is sealed")
    .requiredOption("--samples <n>", "samples a turn may take")
    .action(async (run, options) => (await import("./commands/control.ts")).retryUnits(run, options));
  command("window <run> <conversations>", "conversations that each batch of an open run keeps open, 1–400").action(
    async (run, conversations, options) => (await import("./commands/control.ts")).setWindow(run, conversations, options),
  );
  command("width [provider]", "calls in flight by provider; set its limits for all runs, while they go on")
    .option("--calls <n>", "calls in flight at most, over all llm workers together")
    .option("--requests-per-minute <n>", "or none: no such limit")
    .option("--tokens-per-minute <n>", "or none: no such limit")
    .option("--reset", "go back to the configured limits")
    .action(async (provider, options) => (await import("./commands/width.ts")).width(provider, options));
  command("cancel <run>", "end a run in order; what is finished stays")
    .option("--no-wait", "do not wait until it has ended")
    .action(async (run, options) => (await import("./commands/control.ts")).cancel(run, options));
  command("validate <file>", "check an experiment, a context or a schedule without starting anything")
    .option("--set <path=value>", "set a key over file and environment; may be repeated", list)
    .action(async (file, options) => (await import("./commands/validate.ts")).validate(file, options));
  command("doctor [file]", "check this machine, the server and, given an experiment, what it needs").action(
    async (file, options) => (await import("./commands/doctor.ts")).doctor(file, options),
  );
  command("init <name>", "write an experiment, contexts and data of your own to start from").action(async (name, options) =>
    (await import("./commands/init.ts")).init(name, options),
  );
  command("schema", "write the JSON Schemas that editors and the trainer read")
    .option("--check", "only say whether the files are up to date")
    .action(async (options) => (await import("./commands/schema.ts")).schema(options));
  program
    .command("worker <role>")
    .description("one worker in this terminal: control, llm or gpu")
    .action(async (role) => (await import("./commands/worker.ts")).worker(role));
  registerBudget(program);
  registerSchedules(program);
  registerData(program);
  registerCache(program);
}

function registerBudget(program: Command): void {
  const { command, onlyKnown } = noun(program, "budget", "what an open run may spend");
  command("raise <run>", "set a higher cap; a run that is held for it goes on")
    .option("--calls <n>", "calls in all")
    .option("--usd <x>", "US dollars in all")
    .option("--stage <stage>", "the cap of this stage: converse, steer or evaluate")
    .action(async (run, options) => (await import("./commands/control.ts")).raiseBudget(run, options));
  onlyKnown();
}

function registerSchedules(program: Command): void {
  const { command, onlyKnown } = noun(program, "schedule", "nights that evaluate an experiment's published experts");
  const load = () => import("./commands/schedule.ts");
  command("apply <file>", "make the schedule what the file says").action(async (file, options) =>
    (await load()).apply(file, options),
  );
  command("ls", "schedules with their next night, skipped and missed ones", { isDefault: true }).action(async (options) =>
    (await load()).ls(options),
  );
  command("trigger <id>", "a night now")
    .option("--wait", "wait for its verdict; exit 100 when it regressed")
    .action(async (id, options) => (await load()).trigger(id, options));
  for (const what of ["pause", "unpause", "delete"] as const) {
    command(`${what} <id>`, `${what} a schedule`).action(async (id, options) => (await load()).change(what, id, options));
  }
  onlyKnown();
}
