import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A request as the proxy sees it; `path` with its query. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
}

const codes: Readonly<Record<string, string>> = { "503": "SlowDown", "403": "AccessDenied", "507": "XMinioStorageFull" };

/** `unconditional`: its condition is taken off. `lose`: the server has done it, and the reply never comes. `hold`: it gets no further than here, as long as its client waits. `{ cutAfter }`: so many bytes of the body come, then the connection breaks. */
export type Fate = "pass" | "503" | "403" | "507" | "lose" | "hold" | "unconditional" | { readonly cutAfter: number };

/** A proxy in front of an S3 server, which decides for every request what becomes of it; ended with the test. */
export async function s3Proxy(endpoint: string, fate: (seen: Seen) => Fate) {
  const seen: Seen[] = [];
  const target = new URL(endpoint);
  const server = createServer((incoming, outgoing) => {
    const { method = "", url: path = "", headers } = incoming;
    const one = { method, path, headers };
    seen.push(one);
    const what = fate(one);
    const code = typeof what === "string" ? codes[what] : undefined;
    if (code !== undefined) {
      incoming.resume().on("end", () => {
        outgoing.writeHead(Number(what), { "content-type": "application/xml" });
        outgoing.end(`<Error><Code>${code}</Code><Message>Not now.</Message></Error>`);
      });
      return;
    }
    if (what === "hold") {
      incoming.resume();
      return;
    }
    const { "if-match": _match, "if-none-match": _none, ...others } = headers;
    const sent = what === "unconditional" ? others : headers;
    const onward = request({ host: target.hostname, port: target.port, method, path, headers: sent }, (reply) => {
      if (what === "lose") {
        reply.resume().on("end", () => incoming.socket.destroy());
        return;
      }
      outgoing.writeHead(reply.statusCode ?? 500, reply.headers);
      if (typeof what === "string") {
        reply.pipe(outgoing);
        return;
      }
      let left = what.cutAfter;
      reply.on("data", (chunk: Buffer) => {
        const part = chunk.subarray(0, left);
        left -= part.length;
        outgoing.write(part, () => left === 0 && incoming.socket.destroy());
      });
      reply.on("end", () => outgoing.end());
    });
    onward.on("error", () => incoming.socket.destroy());
    incoming.on("error", () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}
