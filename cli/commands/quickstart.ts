import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { CliError, exitCodes } from "../errors.ts";
import { commandOutput } from "../output.ts";
import { checkStore, openProject } from "../project.ts";
import { duration } from "../view/table.ts";
import { readDevStack } from "../../workers/dev/dev-file.ts";
import { startStack } from "../../workers/dev/stack.ts";
import { runExperiment } from "./run.ts";

const experimentFile = join("configs", "experiments", "quickstart.yaml");

/** The whole machine once: starts a stack of its own (or uses the one that runs), runs the experiment, ends the stack. */
export async function quickstart(options: { readonly json?: boolean; readonly set?: readonly string[] }): Promise<void> {
  const output = commandOutput(options);
  const before = await openProject();
  await checkStore(before);
  const { root, home } = before;
  const began = performance.now();
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => interrupted.abort());

  const running = await readDevStack(home);
  const log = join(home, "quickstart.log");
  await mkdir(home, { recursive: true });
  const lines = createWriteStream(log, { flags: "a" });
  output.say(
    running === null
      ? `Starting Temporal's dev server, the rehearsal teacher and the workers (their lines: ${log}) …`
      : "Using the dev stack that runs here.",
  );
  const stack =
    running === null
      ? await startStack({
          home,
          projectRoot: root,
          env: process.env,
          onLine: (name, line) => lines.write(`${name} | ${line}\n`),
          signal: interrupted.signal,
        }).catch((error: unknown) => {
          if (interrupted.signal.aborted) return null;
          throw new CliError(
            exitCodes.precheck,
            `The stack could not be started: ${error instanceof Error ? error.message : String(error)} Its lines are in ${log}.`,
            { cause: error },
          );
        })
      : null;
  try {
    if (running === null && stack === null) throw new CliError(exitCodes.cancelled, goOn);
    const project = await openProject();
    output.say(`Temporal UI: ${project.dev?.uiUrl ?? "unknown"}\n`);
    const code = await runExperiment(join(root, experimentFile), options, { project, output, leaving: goOn });
    process.exitCode = interrupted.signal.aborted ? exitCodes.cancelled : code;
  } finally {
    if (stack !== null) {
      output.say("\nEnding the stack …");
      await stack.stop();
    }
    lines.end();
  }
  output.say(`Done in ${duration((performance.now() - began) / 1000)}.`);
  if (stack !== null) output.say("To open the Temporal UI again on the same data, and to run more: npx attune dev");
}

const goOn = "Interrupted. The same command goes on from here: npm run quickstart";
