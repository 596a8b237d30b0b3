import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRoot, readable, until } from "./attune.ts";

/** A machine as far as Attune can tell: a name, an address and a data directory of its own. */
export interface TestHost {
  readonly name: string;
  readonly address: string;
  readonly home: string;
  /** What its processes are told of it. */
  readonly env: Readonly<Record<string, string>>;
  /** A program's command line, run there. */
  readonly command: (program: string, ...args: readonly string[]) => [string, ...string[]];
}

export interface TwoHosts {
  /** Why they are two in name only; null: they are network namespaces. */
  readonly notApart: string | null;
  /** Where servers that both hosts use listen: the only thing they have in common. */
  readonly hub: string;
  readonly a: TestHost;
  readonly b: TestHost;
  readonly close: () => void;
}

/**
 * Two Linux network namespaces with a host name each, joined to this one and to each other by a cable. Where that is not permitted: two data
 * directories and two loopback addresses, and `notApart` says why.
 */
export async function twoHosts(): Promise<TwoHosts> {
  try {
    return await namespaces();
  } catch (error) {
    const notApart = (error instanceof Error ? error.message : String(error)).trim().replaceAll(/\s*\n\s*/g, "; ");
    const host = (name: string, address: string): TestHost => {
      const command = (program: string, ...args: readonly string[]): [string, ...string[]] => [program, ...args];
      return { name, address, ...homeOf(name), env: { ATTUNE_NODE: name }, command };
    };
    const [a, b] = [host("host-a", "127.0.0.2"), host("host-b", "127.0.0.3")] as const;
    process.stderr.write(`Two hosts are this one under two addresses here: there are no network namespaces: ${notApart}\n`);
    return { notApart, hub: "127.0.0.1", a, b, close: () => [a, b].forEach(removeHome) };
  }
}

/** Each namespace lives as long as the process that holds it, which ends with this one; the cables go with them. */
async function namespaces(): Promise<TwoHosts> {
  const holders: ChildProcess[] = [];
  const homes: Pick<TestHost, "home">[] = [];
  const cables = ["a", "b"].map((end) => `at${process.pid}${end}`);
  const close = () => {
    for (const cable of cables) readable(() => run("ip", "link", "del", cable));
    for (const holder of holders) holder.kill("SIGKILL");
    homes.forEach(removeHome);
  };
  try {
    const net = `10.77.${process.pid % 250}`;
    const hub = `${net}.1`;
    const host = async (name: string, address: string, cable: string): Promise<{ host: TestHost; pid: string }> => {
      const holder = spawn("unshare", ["--net", "--uts", "cat"], { stdio: ["pipe", "ignore", "ignore"] });
      holders.push(holder);
      let failure: Error | null = null;
      holder.once("error", (error) => (failure = error));
      await until(() => failure !== null || holder.exitCode !== null || isApart(holder), 5000, `the namespace of ${name}`);
      if (failure !== null) throw failure as Error;
      if (holder.exitCode !== null) throw new Error(`unshare ended with ${holder.exitCode}`);
      const pid = String(holder.pid);
      const command = (program: string, ...args: readonly string[]): [string, ...string[]] => [
        "nsenter",
        `--target=${pid}`,
        "--net",
        "--uts",
        "--",
        program,
        ...args,
      ];
      run(...command("hostname", name));
      run("ip", "link", "add", cable, "type", "veth", "peer", "name", "hub", "netns", pid);
      plug((...line) => run(...line), cable, { from: hub, to: address });
      plug((program, ...args) => run(...command(program, ...args)), "hub", { from: address, to: hub });
      run(...command("ip", "link", "set", "lo", "up"));
      const own = homeOf(name);
      homes.push(own);
      return { pid, host: { name, address, ...own, env: {}, command } };
    };
    const a = await host("host-a", `${net}.2`, cables[0]!);
    const b = await host("host-b", `${net}.3`, cables[1]!);
    run(...a.host.command("ip", "link", "add", "peer", "type", "veth", "peer", "name", "peer", "netns", b.pid));
    for (const [one, other] of [
      [a.host, b.host],
      [b.host, a.host],
    ] as const)
      plug((program, ...args) => run(...one.command(program, ...args)), "peer", { from: one.address, to: other.address });
    return { notApart: null, hub, a: a.host, b: b.host, close };
  } catch (error) {
    close();
    throw error;
  }
}

type Run = (program: string, ...args: readonly string[]) => void;

const run: Run = (program, ...args) => void execFileSync(program, args, { stdio: ["ignore", "ignore", "pipe"] });

function plug(there: Run, device: string, { from, to }: { from: string; to: string }): void {
  there("ip", "addr", "add", from, "peer", to, "dev", device);
  there("ip", "link", "set", device, "up");
}

/** Whether the process has left this one's network and host name. */
const isApart = ({ pid }: ChildProcess) =>
  ["net", "uts"].every((kind) => {
    const there = readable(() => readlinkSync(`/proc/${pid}/ns/${kind}`));
    return there !== undefined && there !== readlinkSync(`/proc/self/ns/${kind}`);
  });

function homeOf(name: string): { readonly home: string } {
  const home = mkdtempSync(join(tmpdir(), `attune-${name}-`));
  symlinkSync(join(projectRoot, ".attune", "models"), join(home, "models"));
  return { home };
}

const removeHome = ({ home }: Pick<TestHost, "home">) => rmSync(home, { recursive: true, force: true });
