import { Client, Connection } from "@temporalio/client";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NightlyResult } from "../../contract/experiment.ts";
import type { attuneIn } from "./attune.ts";

type Stack = Pick<ReturnType<typeof attuneIn>, "attune" | "home" | "devFile">;

/** Makes a schedule for the experiment's nights and fires it once, as an operator would; answers what that night returned. */
export async function nightOf(stack: Stack, experiment: string): Promise<NightlyResult> {
  const id = `nightly-${experiment}`;
  const file = join(stack.home, `${id}.yaml`);
  writeFileSync(
    file,
    `id: ${id}\nexperiment: ${experiment}\ncron: "0 3 * * *"\ntimezone: UTC\noverlap: skip\ncatchupWindow: 6h\npauseOnFailure: true\n`,
  );
  for (const args of [
    ["schedule", "apply", file],
    ["schedule", "trigger", id],
  ]) {
    const { exitCode, stderr } = await stack.attune(...args);
    if (exitCode !== 0) throw new Error(`attune ${args.join(" ")} ended with ${exitCode}: ${stderr}`);
  }
  return onlyNight(stack.devFile().temporalAddress);
}

/** Result of the one night on the server, once it is there. */
async function onlyNight(address: string): Promise<NightlyResult> {
  const connection = await Connection.connect({ address });
  try {
    const client = new Client({ connection });
    for (;;) {
      for await (const { workflowId } of client.workflow.list({ query: 'WorkflowType = "nightly"' }))
        return (await client.workflow.getHandle(workflowId).result()) as NightlyResult;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  } finally {
    await connection.close();
  }
}
