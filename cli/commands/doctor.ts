import { exitCodes } from "../errors.ts";
import { commandOutput } from "../output.ts";
import { openProject } from "../project.ts";
import { configChecks } from "../doctor/config.ts";
import { type Check, machineChecks } from "../doctor/machine.ts";
import { serverChecks } from "../doctor/server.ts";
import { storeChecks } from "../doctor/store.ts";

/** `attune doctor [FILE]`: a line a check, each failed one with its remedy. Exit 3 when one failed. Keys are never shown. */
export async function doctor(file: string | undefined, options: { readonly json?: boolean }): Promise<void> {
  const output = commandOutput(options);
  const project = await openProject();
  const checks: Check[] = [];
  const report = (check: Check) => {
    checks.push(check);
    if (!output.json)
      output.say(
        `${{ ok: "ok   ", warning: "warn ", failed: "FAIL " }[check.state]} ${check.name}: ${check.detail}${check.remedy === undefined ? "" : `\n      ${check.remedy}`}`,
      );
  };
  for await (const check of machineChecks(project)) report(check);
  for await (const check of storeChecks(project)) report(check);
  for await (const check of serverChecks(project)) report(check);
  if (file !== undefined) for await (const check of configChecks(file, project)) report(check);
  const failed = checks.filter(({ state }) => state === "failed").length;
  output.result(
    { checks, failed },
    failed === 0 ? "\nNothing stands in the way." : `\n${failed} of ${checks.length} checks failed.`,
  );
  process.exitCode = failed === 0 ? exitCodes.done : exitCodes.precheck;
}
