import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** One machine as Attune knows it. */
export interface NodeIdentity {
  /** Matches /^[a-z0-9-]{1,40}$/; part of the node's queue. */
  readonly name: string;
  /** Changes when the machine restarts, so that a claim can tell "slow" from "lost". */
  readonly boot: string;
}

/** `ATTUNE_NODE` or the host's name, in the letters a queue may have. */
export function nodeName(env: Readonly<Record<string, string | undefined>>, host: string = hostname()): string {
  const given = env["ATTUNE_NODE"];
  if (given !== undefined && given !== "") {
    if (!/^[a-z0-9-]{1,40}$/.test(given)) {
      throw new Error(`ATTUNE_NODE is ${JSON.stringify(given)}; use 1–40 of a–z, 0–9 and dashes.`);
    }
    return given;
  }
  const slug = host
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 40)
    .replaceAll(/^-+|-+$/g, "");
  return slug === "" ? "node" : slug;
}

/** The kernel's id of this boot (Linux). */
function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

export function thisNode(env: Readonly<Record<string, string | undefined>>): NodeIdentity {
  return { name: nodeName(env), boot: bootId() };
}
