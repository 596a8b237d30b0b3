import { join } from "node:path";

export const roles = ["control", "llm", "gpu"] as const;
type Role = (typeof roles)[number];

/**
 * Flags of a role's Node: room for young objects, MB. Node lets it grow with the work, which control has no use for (a fifth more memory, and no
 * faster), and an llm worker all of: it has it from the start.
 */
const flags: Readonly<Record<Role, readonly string[]>> = {
  control: ["--max-semi-space-size=4"],
  llm: ["--min-semi-space-size=32"],
  gpu: [],
};

/** What starts a worker in a process of its own. */
export function workerCommand(projectRoot: string, role: Role): [string, ...string[]] {
  return [process.execPath, ...flags[role], join(projectRoot, "workers", "main.ts"), role];
}
