#!/usr/bin/env node
// Runs on the host's Node and hands over to the pinned one: an old Node can't read the TypeScript behind it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const node = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));
const main = fileURLToPath(new URL("../cli/main.ts", import.meta.url));

if (!existsSync(node)) {
  process.stderr.write(
    "attune: its packages are not installed. Run `npm run quickstart`, or `node bin/setup.mjs` to install only.\n",
  );
  process.exit(3);
}

// What packages keep for themselves lies below the data directory too.
const home = resolve(process.env.ATTUNE_HOME ?? fileURLToPath(new URL("../.attune", import.meta.url)));
const env = { ...process.env, XDG_CACHE_HOME: join(home, "xdg-cache") };
const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: "inherit", env });
// The terminal sends Ctrl-C to both; only the child may decide what it means.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on("error", (error) => {
  process.stderr.write(`attune: ${node} could not be started: ${error.message}. Run \`node bin/setup.mjs\`.\n`);
  process.exit(3);
});
child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
