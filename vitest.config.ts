import { defineConfig } from "vitest/config";

/** One project a rung of the ladder: by how much is real. */
const rung = (name: string, testTimeout: number, retry = 0) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: testTimeout, retry, pool: "forks" as const },
});

export default defineConfig({
  test: {
    projects: [
      rung("unit", 20_000),
      rung("platform", 60_000),
      rung("bundle", 120_000),
      // Several of these read a moving run through the server; on a loaded machine one look can come too late.
      rung("workflows", 60_000, 2),
      rung("replay", 120_000),
      rung("e2e", 900_000),
    ],
    fileParallelism: false,
  },
});
