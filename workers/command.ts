import { join } from "node:path";

export const roles = ["control", "llm", "gpu"] as const;
type Role = (typeof roles)[number];

/** Flags of a role's Node. What control keeps is small: with more room for young objects it takes a fifth more memory, growing, and is no faster. */
const flags: Readonly<Record<Role, readonly string[]>> = { control: ["--max-semi-space-size=4"], llm: [], gpu: [] };

/** What starts a worker in a process of its own. */
export function workerCommand(projectRoot: string, role: Role): [string, ...string[]] {
  return [process.execPath, ...flags[role], join(projectRoot, "workers", "main.ts"), role];
}
