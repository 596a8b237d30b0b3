import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What to do wrong with a request: a fault that the rehearsal teacher knows by its header; `unreadable` sends it a body that it refuses with 400. */
export type Wrong = "auth" | "quota" | "empty" | "unreadable";

/**
 * An address on loopback in front of the rehearsal teacher, which may be started later and anew. Every request reaches the teacher and so its log;
 * `wrong` says by the request's seed what is to go wrong with it. `seeds` has the seed of every request, by its `x-attune-key`.
 */
export async function teacherProxy(teacherUrl: () => string, wrong: (seed: number) => Wrong | null) {
  const seeds = new Map<string, number>();
  const server = createServer((request, response) => {
    pass(request, response).catch(() => response.destroy());
  });

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = `${teacherUrl()}${request.url?.replace(/^\/v1/, "") ?? ""}`;
    const answer = await (request.method === "POST" ? fetch(url, await post(request)) : fetch(url));
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
    response.end(await answer.text());
  }

  async function post(request: IncomingMessage): Promise<RequestInit> {
    const body = (await request.toArray()).join("");
    const { seed } = JSON.parse(body) as { readonly seed: number };
    const key = String(request.headers["x-attune-key"]);
    seeds.set(key, seed);
    const fault = wrong(seed);
    return {
      method: "POST",
      headers: { "x-attune-key": key, ...(fault === null || fault === "unreadable" ? {} : { "x-rehearsal-fault": fault }) },
      body: fault === "unreadable" ? "{}" : body,
    };
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    seeds: seeds as ReadonlyMap<string, number>,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
