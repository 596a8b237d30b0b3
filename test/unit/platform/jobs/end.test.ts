import { describe, expect, it } from "vitest";
import { endCause, mayStartAgain } from "../../../../platform/jobs/end.ts";
import type { JobExit } from "../../../../platform/jobs/launcher.ts";

const ended: JobExit = { start: "s", exitCode: null, signal: null, startError: null, memoryKill: false, seconds: 10 };

describe("why a job ended", () => {
  it.each([
    ["refused spec", { exitCode: 64 }, "", "bad-spec"],
    ["refused data", { exitCode: 65 }, "", "bad-data"],
    ["its own failure", { exitCode: 70 }, "loss is NaN", "failed"],
    ["an import that fails", { exitCode: 1 }, "ModuleNotFoundError", "failed"],
    ["no result behind a 0", { exitCode: 0 }, "", "failed"],
    ["preempted with a checkpoint", { exitCode: 75 }, "", "preempted"],
    ["CUDA out of memory", { exitCode: 70 }, "torch.OutOfMemoryError: CUDA out of memory.", "out-of-memory"],
    ["the kernel's memory killer", { signal: "SIGKILL", memoryKill: true }, "", "out-of-memory"],
    ["an operator's SIGKILL", { signal: "SIGKILL" }, "", "killed"],
    ["137 of a shell or container", { exitCode: 137 }, "", "killed"],
    ["137 with the memory killer", { exitCode: 137, memoryKill: true }, "", "out-of-memory"],
    ["SIGTERM that was not handled", { signal: "SIGTERM" }, "", "killed"],
    ["a crash in native code", { signal: "SIGSEGV" }, "", "failed"],
    ["139 of a shell or container", { exitCode: 139 }, "", "failed"],
    ["nobody saw the end", {}, "", "killed"],
    ["its own deadline", { exitCode: 70, seconds: 61 }, "", "deadline"],
    ["the kernel's alarm", { signal: "SIGALRM" }, "", "deadline"],
    ["ended by its node past the deadline", { signal: "SIGKILL", seconds: 95 }, "", "deadline"],
    ["checkpointed past the deadline", { exitCode: 75, seconds: 95 }, "", "deadline"],
    ["bad data, whatever the time", { exitCode: 65, seconds: 95 }, "", "bad-data"],
    ["no program", { startError: "spawn python ENOENT" }, "", "start-failed"],
  ] as const)("%s", (_, over, tail, cause) => {
    expect(endCause({ exit: { ...ended, ...over }, deadline: 60, tail })).toBe(cause);
  });

  it("allows another start only where nothing was wrong with the job", () => {
    const causes = [
      "bad-spec",
      "bad-data",
      "failed",
      "preempted",
      "killed",
      "deadline",
      "out-of-memory",
      "start-failed",
    ] as const;
    expect(causes.filter(mayStartAgain)).toEqual(["preempted", "killed"]);
  });
});
