import { fileURLToPath } from "node:url";
import { bundleWorkflowCode, DefaultLogger } from "@temporalio/worker";
import { beforeAll, expect, test } from "vitest";
import * as workflows from "../../workflows/index.ts";

/** Bytes of code without the source map. The SDK itself is 1.2 MB of it. */
const budget = 2_000_000;

const forbidden = [
  "zod",
  "openai",
  "execa",
  "yaml",
  "commander",
  "@temporalio/client",
  "@temporalio/worker",
  "@temporalio/activity",
];

let code = "";
beforeAll(async () => {
  const bundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL("../../workflows/index.ts", import.meta.url)),
    logger: new DefaultLogger("ERROR"),
  });
  code = bundle.code.replace(/\/\/# sourceMappingURL=.*$/s, "");
});

test("exports the workflows by name, and nothing else", () => {
  expect(Object.keys(workflows).toSorted()).toEqual(["batch", "evaluation", "experiment", "nightly", "shard"]);
});

test("stays within its size", () => {
  expect(code.length).toBeLessThan(budget);
});

test.each(forbidden)("holds nothing of %s", (name) => {
  expect(code).not.toContain(`node_modules/${name}/`);
});

test("asks for no Node builtin", () => {
  expect(code.match(/require\("node:[a-z/]+"\)/g) ?? []).toEqual([]);
});

test("holds no file of Attune outside workflows, contract and domain", () => {
  const rooms = [...code.matchAll(/\.\/(activities|platform|configs|workers|cli|rehearsal)\/[a-z/-]+\.ts/g)].map(
    ([file]) => file,
  );
  expect(rooms).toEqual([]);
});
