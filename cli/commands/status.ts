import { commandOutput } from "../output.ts";
import { exitCodes } from "../errors.ts";
import { followRun } from "../follow.ts";
import { openProject, withStores } from "../project.ts";
import { withClient } from "../server/connect.ts";
import { readPieces } from "../server/pieces.ts";
import { findRun } from "../server/runs.ts";
import { look } from "../server/watch.ts";
import { uiLink } from "../view/links.ts";
import { progressText } from "../view/progress.ts";

/** `attune status RUN`: where an open run is; a closed one by its stage records. Exit code 4 when it is held. */
export async function status(wanted: string, options: { readonly json?: boolean; readonly follow?: boolean }): Promise<void> {
  const output = commandOutput(options);
  const project = await openProject();
  process.exitCode = await withClient(project, (client) =>
    withStores(project, async (stores) => {
      const { run, plan, workflowId, rehearsal } = await findRun(stores.records, wanted);
      if (options.follow === true) return followRun({ client, project, stores, run, output });
      const snapshot = await look(client, workflowId, project.queues);
      const pieces = (await readPieces(stores, run, plan, { verify: false })).map(({ key, whole }) => ({ key, done: whole }));
      const done = pieces.filter((piece) => piece.done).length;
      const lines = [
        `${workflowId}: ${statusWord(snapshot.status)}${rehearsal ? " (rehearsal: not evidence)" : ""}`,
        `${done} of ${pieces.length} pieces are done.`,
        progressText(snapshot, { name: run.name, now: new Date() }),
        ...(snapshot.status === "RUNNING" ? [] : closedLines(pieces)),
        ...[uiLink(project, workflowId)].filter((link) => link !== null),
      ];
      output.result(
        { workflowId, ...snapshot, digest: run.digest, rehearsal, pieces, ui: uiLink(project, workflowId) },
        lines.filter((line) => line !== "").join("\n"),
      );
      return snapshot.progress?.state === "held" ? exitCodes.held : exitCodes.done;
    }),
  );
}

function statusWord(status: string): string {
  return status === "UNKNOWN"
    ? "not known to this server (its database may be another one)"
    : status.toLowerCase().replace("_", " ");
}

function closedLines(pieces: readonly { readonly key: string; readonly done: boolean }[]): readonly string[] {
  const missing = pieces.filter((piece) => !piece.done).map(({ key }) => key);
  return missing.length === 0 ? [] : [`Not there: ${missing.join(", ")}. The same \`npx attune run\` makes only these.`];
}
