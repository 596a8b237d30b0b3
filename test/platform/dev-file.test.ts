import { expect, test } from "vitest";
import { processIdOf, readDevStack, writeDevStack } from "../../workers/dev/dev-file.ts";
import { tempFolder } from "../support/temp-folder.ts";

test("writes that are asked for at once all succeed, and the newest stands", async () => {
  const home = tempFolder();
  const stack = {
    supervisor: await processIdOf(process.pid),
    children: {},
    temporalAddress: "127.0.0.1:7233",
    uiUrl: "http://127.0.0.1:8233",
    rehearsalUrl: "http://127.0.0.1:1/v1",
    startedAt: "2026-03-01T03:00:00.000Z",
  };
  const child = { pid: 1, startTime: 1 };
  const writes = Array.from({ length: 20 }, (_, i) => writeDevStack(home, { ...stack, children: { [`worker-${i}`]: child } }));
  await Promise.all(writes);
  expect((await readDevStack(home))?.children).toEqual({ "worker-19": child });
});
