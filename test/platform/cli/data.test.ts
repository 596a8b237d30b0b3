import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { projectRoot } from "../../support/attune.ts";
import { conversation, datasetRun, evaluated, pair } from "../../support/dataset-run.ts";
import { tempFolder } from "../../support/temp-folder.ts";

const python = process.env["ATTUNE_PYTHON"] ?? join(projectRoot, ".attune", "venv", "bin", "python");

/** The real command in a data directory of its own; no server answers. */
function commandIn(home: string) {
  const env = { ATTUNE_HOME: home, TEMPORAL_ADDRESS: "127.0.0.1:1" };
  return (...args: readonly string[]) =>
    execa("node", [join(projectRoot, "bin", "attune.mjs"), "data", ...args], { env, reject: false, stdin: "ignore" });
}

/** What pyarrow reads of a Parquet file: its columns' types, row groups and rows. */
async function pyarrow(file: string) {
  const program = `
import json, sys, pyarrow.parquet as parquet
file = parquet.ParquetFile(sys.argv[1])
print(json.dumps({"schema": {f.name: str(f.type) for f in file.schema_arrow}, "groups": file.num_row_groups, "rows": file.read().to_pylist()}))`;
  const { stdout } = await execa(python, ["-c", program, file]);
  return JSON.parse(stdout) as { schema: Record<string, string>; groups: number; rows: Record<string, unknown>[] };
}

test("what is exported as Parquet, pyarrow reads as it was, nested messages too", async () => {
  const home = tempFolder();
  const unit = (i: number) => `distress-${String(i).padStart(5, "0")}`;
  const rows = Array.from({ length: 1001 }, (_, i) => conversation(unit(i), `Line one.\n"Two" ${i} é 🌧`));
  await datasetRun(home, {
    name: "one",
    digest: "11",
    conversations: rows,
    pairs: [pair(unit(0), 1), { ...pair(unit(0), 2), prompt: [] }],
    evaluation: [evaluated(unit(0), "baseline")],
  });
  const data = commandIn(home);
  const exported = async (dataset: string) => {
    const to = join(home, dataset);
    expect(await data("export", "one", dataset, "--to", to, "--json")).toMatchObject({ exitCode: 0, stderr: "" });
    const jsonl = readFileSync(join(to, `${dataset}.jsonl`), "utf8")
      .trimEnd()
      .split("\n");
    return { lines: jsonl.map((line) => JSON.parse(line) as object), to, ...(await pyarrow(join(to, `${dataset}.parquet`))) };
  };
  const conversations = await exported("conversations-distress");
  expect(conversations.rows).toEqual(conversations.lines);
  expect(conversations.rows[1000]).toMatchObject({
    messages: [{ role: "user" }, { role: "assistant", content: 'Line one.\n"Two" 1000 é 🌧' }],
  });
  expect(conversations.schema["messages"]).toBe("list<element: struct<role: string, content: string>>");
  expect(conversations.groups).toBe(2);
  const pairs = await exported("pairs-distress");
  expect(pairs.rows).toEqual(pairs.lines);
  expect(existsSync(join(pairs.to, "README.md"))).toBe(true);
  const evaluation = await exported("evaluation-tiny");
  expect(evaluation.rows).toMatchObject(evaluation.lines);
  expect(existsSync(join(evaluation.to, "README.md"))).toBe(false);
});

test("exit codes: 2 for what is written wrong, 3 for what is not made yet; a bare noun prints help", async () => {
  const home = tempFolder();
  await datasetRun(home, { name: "one", digest: "11", pairs: [pair("distress-00000", 1)] });
  const data = commandIn(home);
  expect(await data("ls", "two")).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/No run two is known here/) });
  expect(await data("show", "one", "pairs-distres")).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/did you mean pairs-distress/),
  });
  expect(await data("show", "one", "evaluation-tiny", "--json")).toMatchObject({ exitCode: 3, stdout: "" });
  expect(await data("sample", "one", "pairs-distress", "-n", "none")).toMatchObject({ exitCode: 2 });
  expect(await data("export", "one", "pairs-distress", "--to", home)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/not empty/),
  });
  expect(await data("export", "one", "pairs-distress", "--to", home, "--format", "csv")).toMatchObject({ exitCode: 2 });
  expect(await data("lss")).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/unknown command 'lss'/) });
  expect(await data()).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/^Usage: attune data/) });
});

test("a reader that has seen enough ends the command in order", async () => {
  const home = tempFolder();
  const rows = Array.from({ length: 20_000 }, (_, i) => conversation(`distress-${String(i).padStart(5, "0")}`));
  await datasetRun(home, { name: "one", digest: "11", conversations: rows });
  const command = `node bin/attune.mjs data show one conversations-distress | head -n 1; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await execa("bash", ["-c", command], { cwd: projectRoot, env: { ATTUNE_HOME: home } });
  expect(stdout).toMatch(/^distress-00000 .*\n0$/);
  expect(stderr).toBe("");
});
