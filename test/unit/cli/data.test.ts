import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { diff, exportTo, ls, sample, show } from "../../../cli/commands/data.ts";
import { piiPolicies } from "../../../cli/data/rows.ts";
import { conversation, datasetRun, evaluated, pair } from "../../support/dataset-run.ts";
import { tempFolder } from "../../support/temp-folder.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

// Each print leaves a listener on stdout: a command prints once and ends.
process.stdout.setMaxListeners(0);

/** What a command prints on stdout. */
async function printed(work: () => Promise<void>): Promise<string> {
  const texts: string[] = [];
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => texts.push(String(text)) > 0);
  try {
    await work();
  } finally {
    spy.mockRestore();
  }
  return texts.join("");
}

function home(): string {
  const folder = tempFolder();
  vi.stubEnv("ATTUNE_HOME", folder);
  return folder;
}

const units = Array.from({ length: 20 }, (_, i) => `distress-${String(i).padStart(5, "0")}`);

test("ls names what is made and what is not, with card and file", async () => {
  const folder = home();
  const { refs } = await datasetRun(folder, { name: "one", digest: "11", pairs: [pair("distress-00000", 1)] });
  const listed = JSON.parse(await printed(() => ls("one", { json: true }))) as object[];
  const path = join(folder, "artifacts", refs.pairs!.uri);
  const nothing = { rows: null, bytes: null, sha256: null, path: null, there: false, card: null };
  expect(listed).toEqual([
    { dataset: "conversations-distress", ...nothing },
    {
      dataset: "pairs-distress",
      rows: 1,
      bytes: refs.pairs!.bytes,
      sha256: refs.pairs!.sha256,
      path,
      there: true,
      card: path.replace(/jsonl$/, "md"),
    },
    { dataset: "evaluation-tiny", ...nothing },
  ]);
  expect(await printed(() => ls("one", {}))).toMatch(/^pairs-distress +1 .* yes +data\/steer-distress\.jsonl$/m);
});

test("show prints chats, of one unit when told, and with --json the rows as they are", async () => {
  const rows = [conversation("distress-00000"), conversation("distress-00001", "Sit down.")];
  await datasetRun(home(), { name: "one", digest: "11", conversations: rows });
  const all = await printed(() => show("one", "conversations-distress", {}));
  expect(all).toMatch(/distress-00000 · family distress-storm[^]*─{20}[^]*distress-00001/);
  const one = await printed(() => show("one", "conversations-distress", { unit: "distress-00001" }));
  expect(one).toMatch(/^distress-00001[^]* {6}Ann {2}The storm took the roof\. 🌧\nAssistant {2}Sit down\.\n$/);
  const json = await printed(() => show("one", "conversations-distress", { json: true }));
  expect(json).toBe(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
});

test("a unit that is not there is explained by its record", async () => {
  await datasetRun(home(), {
    name: "one",
    digest: "11",
    conversations: [conversation("distress-00000")],
    pairs: [pair("distress-00000", 1)],
    outcomes: {
      "00001": { status: "dropped", reason: "user-echo" },
      "00002": { status: "failed", reason: "samples" },
      "00003": { status: "done" },
    },
  });
  const shown = (unit: string) => show("one", "conversations-distress", { unit });
  await expect(shown("distress-00001")).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/was dropped: user-echo$/),
  });
  await expect(shown("distress-00002")).rejects.toThrow(/gave up: samples$/);
  await expect(shown("distress-00003")).rejects.toThrow(/left out when the set was sealed: .*nearly the same/);
  await expect(shown("distress-7")).rejects.toThrow(/no such unit was tried/);
});

test("a dataset by a wrong name is 2 with the nearest, one not made yet is 3", async () => {
  await datasetRun(home(), { name: "one", digest: "11", pairs: [pair("distress-00000", 1)] });
  await expect(show("one", "pair-distress", {})).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringMatching(/did you mean pairs-distress\?/),
  });
  await expect(show("one", "x", {})).rejects.toThrow(/it has conversations-distress, pairs-distress, evaluation-tiny/);
  await expect(show("one", "evaluation-tiny", {})).rejects.toMatchObject({
    exitCode: 3,
    message: expect.stringMatching(/evaluate\/tiny is not finished/),
  });
});

test("a sample is the same under the same seed, in the order of the rows", async () => {
  await datasetRun(home(), { name: "one", digest: "11", evaluation: units.map((unit) => evaluated(unit, "baseline")) });
  const drawn = (seed: number) =>
    printed(() => sample("one", "evaluation-tiny", { number: 4, seed, json: true })).then((text) =>
      text
        .trim()
        .split("\n")
        .map((line) => (JSON.parse(line) as { unit: string }).unit),
    );
  const first = await drawn(1);
  expect(first).toHaveLength(4);
  expect(first).toEqual(first.toSorted());
  expect(await drawn(1)).toEqual(first);
  expect(await drawn(2)).not.toEqual(first);
  expect(await printed(() => sample("one", "evaluation-tiny", { number: 1, seed: 5 }))).toMatch(
    /^1 of 20 rows of evaluation-tiny, seed 5\n[^]*arm baseline · tiny · desired 0\.75[^]*not judged: no JSON · evaluator 0\.13 · preference none · truncated/,
  );
});

test("diff tells rows apart by unit and turn, and shows what differs", async () => {
  const folder = home();
  await datasetRun(folder, {
    name: "one",
    digest: "11",
    pairs: [pair("distress-00000", 1), pair("distress-00000", 2), pair("distress-00001", 1)],
  });
  await datasetRun(folder, {
    name: "two",
    digest: "22",
    pairs: [pair("distress-00000", 1), pair("distress-00000", 2, "Sit."), pair("distress-00002", 1)],
  });
  const record = JSON.parse(await printed(() => diff("one", "two", "pairs-distress", { json: true }))) as object;
  expect(record).toMatchObject({
    a: "exp/one/111111111111",
    b: "exp/two/222222222222",
    same: 1,
    different: 1,
    onlyA: 1,
    onlyB: 1,
    first: {
      different: [
        { row: "distress-00000 turn 2", differences: [{ path: "chosen.0.content", before: "Rest first.", after: "Sit." }] },
      ],
      onlyA: ["distress-00001 turn 1"],
      onlyB: ["distress-00002 turn 1"],
    },
  });
  expect(await printed(() => diff("one", "two", "pairs-distress", {}))).toMatch(
    /different +1\n[^]*distress-00000 turn 2\n +chosen\.0\.content\n +A {2}"Rest first\."\n +B {2}"Sit\."/,
  );
});

test("export writes rows as TRL reads them beside the card, byte for byte where they are so already", async () => {
  const folder = home();
  const { refs } = await datasetRun(folder, {
    name: "one",
    digest: "11",
    conversations: [conversation("distress-00000")],
    pairs: [pair("distress-00000", 1)],
  });
  const to = join(tempFolder(), "deep", "out");
  await printed(() => exportTo("one", "conversations-distress", { to, format: "jsonl" }));
  expect(readFileSync(join(to, "README.md"), "utf8")).toBe("# converse/distress\n");
  expect(JSON.parse(readFileSync(join(to, "conversations-distress.jsonl"), "utf8"))).toMatchObject({
    messages: [
      { role: "user", content: "The storm took the roof. \u{1f327}" },
      { role: "assistant", content: "Rest first." },
    ],
    unit: "distress-00000",
    persona: { name: "Ann" },
  });
  const empty = tempFolder();
  const record = JSON.parse(
    await printed(() => exportTo("one", "pairs-distress", { to: empty, format: "both", json: true })),
  ) as {
    files: { path: string; sha256: string; rows: number | null }[];
  };
  expect(record.files.map(({ path, rows }) => [path.slice(empty.length + 1), rows])).toEqual([
    ["pairs-distress.jsonl", 1],
    ["pairs-distress.parquet", 1],
    ["README.md", null],
  ]);
  expect(record.files[0]!.sha256).toBe(refs.pairs!.sha256);
});

test("text that looks personal blocks an export unless it is told to mask or keep it, and the card says what was done", async () => {
  await datasetRun(home(), {
    name: "one",
    digest: "11",
    conversations: [
      conversation("distress-00000"),
      conversation("distress-00001", "Mail ann@example.org or call +44 20 7946 0958."),
      conversation("distress-00002", "It was 2024-11-25, at 7."),
    ],
  });
  const to = tempFolder();
  const out = (pii: (typeof piiPolicies)[number] | undefined, folder: string) =>
    printed(() =>
      exportTo("one", "conversations-distress", {
        to: folder,
        format: "jsonl",
        json: true,
        ...(pii === undefined ? {} : { pii }),
      }),
    );
  const blocked = {
    exitCode: 3,
    message: expect.stringMatching(
      /1 like e-mail addresses, 1 like phone numbers, in 1 rows \(distress-00001\)\. Nothing was written\. .*--pii mask .*--pii keep/,
    ) as string,
  };
  await expect(out(undefined, to)).rejects.toMatchObject(blocked);
  await expect(out("block", to)).rejects.toMatchObject(blocked);
  expect(readdirSync(to)).toEqual([]);
  const said = { mask: "Mail [email] or call [phone].", keep: "Mail ann@example.org or call +44 20 7946 0958." };
  for (const pii of piiPolicies.filter((policy) => policy !== "block")) {
    const folder = join(to, pii);
    expect(JSON.parse(await out(pii, folder))).toMatchObject({ pii: { policy: pii, found: { email: 1, phone: 1 } } });
    const rows = readFileSync(join(folder, "conversations-distress.jsonl"), "utf8").trim().split("\n");
    expect(rows.map((row) => (JSON.parse(row) as { messages: { content: string }[] }).messages[1]?.content)).toEqual([
      "Rest first.",
      said[pii],
      "It was 2024-11-25, at 7.",
    ]);
    const card = readFileSync(join(folder, "README.md"), "utf8");
    expect(card).toContain("Found at export: 1 like e-mail addresses, 1 like phone numbers.");
    expect(card.includes("stands masked")).toBe(pii === "mask");
  }
});

test("export refuses a folder that holds something, and rows that were altered", async () => {
  const folder = home();
  const { refs } = await datasetRun(folder, { name: "one", digest: "11", pairs: [pair("distress-00000", 1)] });
  const full = tempFolder();
  mkdirSync(join(full, "mine"));
  const to = (place: string) => exportTo("one", "pairs-distress", { to: place, format: "both" });
  await expect(to(full)).rejects.toMatchObject({ exitCode: 2, message: expect.stringMatching(/is not empty/) });
  writeFileSync(join(folder, "artifacts", refs.pairs!.uri), "{}\n");
  const fresh = join(full, "mine", "fresh");
  await expect(to(fresh)).rejects.toThrow(/steer-distress\.jsonl was altered/);
  await expect(to(fresh)).rejects.toThrow(/was altered/);
});

test("rows of another version that have no column are not left out in silence", async () => {
  await datasetRun(home(), { name: "one", digest: "11", pairs: [{ ...pair("distress-00000", 1), mood: "calm" }] });
  const to = join(tempFolder(), "out");
  await expect(exportTo("one", "pairs-distress", { to, format: "parquet" })).rejects.toThrow(
    /row 1 has mood, for which there is no column\. .*--format jsonl/,
  );
  await printed(() => exportTo("one", "pairs-distress", { to, format: "jsonl" }));
});
