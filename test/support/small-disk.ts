import { execFileSync } from "node:child_process";
import { closeSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished, TestRunner } from "vitest";
import { tempFolder } from "./temp-folder.ts";

/** A file system of a few megabytes, of the running test. */
export interface SmallDisk {
  readonly folder: string;
  /** Takes all of its room but so many bytes. */
  fill(leave?: number): void;
  /** Gives back what `fill` took. */
  free(): void;
}

/** Mounted in memory; where that is not permitted the test is skipped and says why. */
export function smallDisk(bytes = 4 * 1024 * 1024): SmallDisk {
  const folder = tempFolder();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "attune-test", folder], { stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    const why = `no file system can be mounted here: ${error instanceof Error ? error.message.trim() : String(error)}`;
    process.stderr.write(`Skipped, ${why}\n`);
    TestRunner.getCurrentTest()?.context.skip(why);
  }
  onTestFinished(() => void execFileSync("umount", ["--lazy", folder]));
  const ballast = join(folder, "ballast");
  return {
    folder,
    fill: (leave = 0) => {
      const { bavail, bsize } = statfsSync(folder);
      const file = openSync(ballast, "w");
      try {
        writeSync(file, Buffer.alloc(Math.max(0, bavail * bsize - leave)));
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(ballast),
  };
}
