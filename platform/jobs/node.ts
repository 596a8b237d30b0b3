import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { hostAddress } from "../../contract/job-spec.ts";

/** One machine as Attune knows it. */
export interface NodeIdentity {
  /** Matches /^[a-z0-9-]{1,40}$/; part of the node's queue. */
  readonly name: string;
  /** Changes when the machine restarts, so that a claim can tell "slow" from "lost". */
  readonly boot: string;
  /** Where its servers listen, and under which others reach them. */
  readonly address: string;
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

const loopback = "127.0.0.1";

/** `ATTUNE_NODE_ADDRESS`; loopback where all is on one machine. */
export function nodeAddress(env: Readonly<Record<string, string | undefined>>): string {
  const given = env["ATTUNE_NODE_ADDRESS"];
  if (given === undefined || given === "") return loopback;
  if (hostAddress.safeParse(given).success) return given;
  throw new Error(
    `ATTUNE_NODE_ADDRESS is ${JSON.stringify(given)}; give the host name or the IPv4 address of one interface of this machine.`,
  );
}

/**
 * Listens there for a moment; answers the IP address that the name stands for.
 * @throws when it is no address of this machine
 */
export function listenOnce(address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", ({ message }) =>
      reject(new Error(`Nothing can listen at ATTUNE_NODE_ADDRESS ${address} (${message}); give an address of this machine.`)),
    );
    server.listen({ host: address, port: 0 }, () => {
      const bound = server.address();
      server.close(() => resolve(bound === null || typeof bound === "string" ? address : bound.address));
    });
  });
}

/** The kernel's id of this boot (Linux). */
function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

export function thisNode(env: Readonly<Record<string, string | undefined>>): NodeIdentity {
  return { name: nodeName(env), boot: bootId(), address: nodeAddress(env) };
}
