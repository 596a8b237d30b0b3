#!/usr/bin/env node
// Everything that can be tested on this machine: sets up, then the pieces of `check`, vitest's projects and pytest. Arguments go to vitest.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runPiece, staticPieces } from "./pieces.mjs";
import { everythingForTests, giveUp, home, pinnedNode, runHere, say, seconds, setUp, venvPython } from "./steps.mjs";

const reports = join(home, "test-reports");
const vitestReport = join(reports, "vitest.json");
const pytestReport = join(reports, "pytest.xml");

/** Counts of a run that left no report: it failed as a whole. */
const broken = { passed: 0, failed: 1, skipped: 0 };

function vitestCounts() {
  if (!existsSync(vitestReport)) return broken;
  const { numPassedTests, numFailedTests, numFailedTestSuites, numPendingTests, numTodoTests } = JSON.parse(
    readFileSync(vitestReport, "utf8"),
  );
  // A file that can't be loaded has no tests of its own to fail.
  const failed = numFailedTests === 0 ? numFailedTestSuites : numFailedTests;
  return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests };
}

function pytestCounts() {
  const suite = existsSync(pytestReport) ? /<testsuite [^>]*>/.exec(readFileSync(pytestReport, "utf8"))?.[0] : undefined;
  if (suite === undefined) return broken;
  const number = (name) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = number("failures") + number("errors");
  return { passed: number("tests") - failed - number("skipped"), failed, skipped: number("skipped") };
}

try {
  await setUp(everythingForTests);
  const began = performance.now();
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });

  const total = { passed: 0, failed: 0, skipped: 0 };
  const add = (counts) => {
    for (const [name, count] of Object.entries(counts)) total[name] += count;
  };

  for (const piece of staticPieces) add({ [await runPiece(piece)]: 1 });

  say("\nvitest");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${vitestReport}`];
  const vitest = await runHere(pinnedNode, ["node_modules/vitest/vitest.mjs", "run", ...reporters, ...process.argv.slice(2)]);
  add(vitestCounts());

  say("\npytest");
  const pytest = await runHere(venvPython, ["-m", "pytest", "trainer/tests", "-q", `--junitxml=${pytestReport}`]);
  add(pytestCounts());

  if (total.failed === 0 && (vitest !== 0 || pytest !== 0)) total.failed = 1;
  say(`\nTested in ${seconds(began)}.`);
  // Alone on its line: runners of CI read it there.
  say(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  process.exitCode = total.failed === 0 ? 0 : 1;
} catch (error) {
  giveUp(error);
}
