// The pieces of `npm run check`, each a program whose output is shown when it fails.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { home, pinnedNode, root, say, seconds } from "./steps.mjs";

const tool = (name) => join(root, "node_modules", ".bin", name);
const python = (name) => join(home, "venv", "bin", name);

export const staticPieces = [
  { name: "types", command: [tool("tsc"), "-p", ".", "--noEmit"] },
  { name: "lint", command: [tool("oxlint"), "--type-aware", "--deny-warnings"] },
  { name: "format", command: [tool("prettier"), "--check", "--log-level", "warn", "."] },
  { name: "unused exports", command: [tool("knip"), "--no-progress"] },
  { name: "emitted schemas", command: [pinnedNode, "cli/main.ts", "schema", "--check"] },
  { name: "Python lint", command: [python("ruff"), "check", "trainer"], optional: true },
  { name: "Python types", command: [python("mypy"), "--config-file", "trainer/pyproject.toml", "trainer"], optional: true },
];

/** Runs one piece; answers passed, failed or skipped. */
export async function runPiece({ name, command: [program, ...args], optional = false }) {
  if (optional && !existsSync(program)) {
    say(`  skipped  ${name}: its tools are not installed; node bin/setup.mjs --dev installs them`);
    return "skipped";
  }
  const began = performance.now();
  const { code, output } = await captured(program, args);
  say(`  ${code === 0 ? "passed " : "failed "}  ${name} (${seconds(began)})`);
  if (code !== 0) say(output.trimEnd().replaceAll(/^/gm, "    "));
  return code === 0 ? "passed" : "failed";
}

/** The tools resolve `node` from PATH: they must find the pinned one. */
const env = { ...process.env, PATH: `${join(root, "node_modules", ".bin")}:${process.env.PATH}` };

function captured(program, args) {
  return new Promise((done) => {
    const child = spawn(program, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", (error) => done({ code: 1, output: error.message }));
    child.on("exit", (code) => done({ code: code ?? 1, output }));
  });
}
