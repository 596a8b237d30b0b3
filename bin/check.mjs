#!/usr/bin/env node
// The one command before a commit: types, lint, format, unused exports, emitted schemas, unit tests.
import { runPiece, staticPieces } from "./pieces.mjs";
import { giveUp, npmOnly, pinnedNode, say, seconds, setUp } from "./steps.mjs";

try {
  await setUp(npmOnly);
  const began = performance.now();
  const unit = { name: "unit tests", command: [pinnedNode, "node_modules/vitest/vitest.mjs", "run", "--project", "unit"] };
  const ends = [];
  for (const piece of [...staticPieces, unit]) ends.push(await runPiece(piece));
  const failed = ends.filter((end) => end === "failed").length;
  say(`${failed === 0 ? "All pieces passed" : `${failed} of ${ends.length} pieces failed`} in ${seconds(began)}.`);
  process.exitCode = failed === 0 ? 0 : 1;
} catch (error) {
  giveUp(error);
}
