import { spawn } from "node:child_process";
import { join } from "node:path";
import { roles, workerCommand } from "../../workers/command.ts";
import { venvFolder } from "../../workers/dev/venv.ts";
import { usageError } from "../errors.ts";
import { openProject } from "../project.ts";

/** `attune worker ROLE`: one worker in this terminal, for machines where `dev` does not run everything. */
export async function worker(name: string): Promise<void> {
  const role = roles.find((known) => known === name);
  if (role === undefined) throw usageError(`${name} is no worker's role; roles are ${roles.join(", ")}.`);
  const { root, home, env, temporal } = await openProject();
  const [node, ...args] = workerCommand(root, role);
  const child = spawn(node, args, {
    cwd: root,
    env: {
      ...env,
      ATTUNE_HOME: home,
      ATTUNE_PYTHON: env["ATTUNE_PYTHON"] ?? join(venvFolder({ home, projectRoot: root }), "bin", "python"),
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
    },
    stdio: "inherit",
  });
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
