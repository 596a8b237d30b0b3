import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineSearchAttributeKey } from "@temporalio/common";
import { TestWorkflowEnvironment } from "@temporalio/testing";
import { searchAttributes } from "../../contract/search-attributes.ts";

/** The Temporal binary: TEMPORAL_CLI_PATH, else the one that the set-up installs. */
function temporalBinary(): string {
  const path = process.env["TEMPORAL_CLI_PATH"] ?? fileURLToPath(new URL("../../.attune/venv/bin/temporal", import.meta.url));
  if (!existsSync(path))
    throw new Error(`No Temporal binary at ${path}: run \`npm test\`, which sets it up, or set TEMPORAL_CLI_PATH`);
  return path;
}

/** A dev server of its own with Attune's search attributes, in memory unless `at` says where it keeps its state and answers. */
export function localServer(
  extraArgs: readonly string[] = [],
  at: { readonly port?: number; readonly dbFilename?: string } = {},
): Promise<TestWorkflowEnvironment> {
  return TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: "existing-path", path: temporalBinary() },
      searchAttributes: Object.values(searchAttributes).map(({ name, type }) => defineSearchAttributeKey(name, type)),
      log: { format: "pretty", level: "error" },
      extraArgs: [...extraArgs],
      ...at,
    },
  });
}
