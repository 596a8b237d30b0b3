#!/usr/bin/env node
// One command from a fresh clone to a report: sets up, then runs configs/experiments/quickstart.yaml through every stage.
import { everything, giveUp, pinnedNode, runHere, setUp } from "./steps.mjs";

try {
  await setUp(everything);
  process.exitCode = await runHere(pinnedNode, ["cli/main.ts", "quickstart", ...process.argv.slice(2)]);
} catch (error) {
  giveUp(error);
}
