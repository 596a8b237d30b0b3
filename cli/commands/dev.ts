import { precheckError } from "../errors.ts";
import { checkStore, openProject } from "../project.ts";
import { commandOutput } from "../output.ts";
import { StackRunsError, startStack } from "../../workers/dev/stack.ts";

const nameWidth = 10;

/** `attune dev`: the stack until Ctrl-C. With `--json` one record with the addresses, the children's lines on stderr. */
export async function dev(options: { readonly json?: boolean }): Promise<void> {
  const output = commandOutput(options);
  const project = await openProject();
  await checkStore(project);
  const { interrupted, signal } = interruption();
  output.say(`Data in ${project.home}. Starting Temporal's dev server, the rehearsal teacher and the workers …`);
  const stack = await startStack({
    home: project.home,
    projectRoot: project.root,
    env: process.env,
    onLine: (name, line) => output.say(`${name.padEnd(nameWidth)}│ ${line}`),
    signal,
  }).catch((error: unknown) => {
    if (signal.aborted) return null;
    if (error instanceof StackRunsError) throw precheckError(error.message);
    throw error;
  });
  if (stack === null) return output.say("Ended.");
  const { temporalAddress, uiUrl, rehearsalUrl } = stack.addresses;
  output.result(
    stack.addresses,
    `\nReady.\n  Temporal server  ${temporalAddress}\n  Temporal UI      ${uiUrl}\n  rehearsal        ${rehearsalUrl}\n\nIn another terminal: npx attune run configs/experiments/quickstart.yaml\nCtrl-C ends everything; runs go on with the next \`npx attune dev\`.\n`,
  );
  await interrupted;
  output.say("Ending workers, jobs, teacher and server …");
  await stack.stop();
  output.say("Ended.");
}

/** The first Ctrl-C or SIGTERM asks for an orderly end; the third ends at once and leaves what still runs to the next start. */
function interruption(): { interrupted: Promise<void>; signal: AbortSignal } {
  const controller = new AbortController();
  const interrupted = new Promise<void>((resolve) => {
    let times = 0;
    const end = () => {
      times += 1;
      if (times === 3) process.exit(130);
      controller.abort();
      resolve();
    };
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, end);
  });
  return { interrupted, signal: controller.signal };
}
