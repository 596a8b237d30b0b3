import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { answering } from "./answer.ts";
import { completion, errorBody } from "./completion.ts";
import type { Corpus } from "./corpus.ts";
import type { Faults } from "./faults.ts";
import type { Rules } from "./judge/rules.ts";
import type { LogLine } from "./log.ts";
import { readRequest } from "./request.ts";

interface Options {
  readonly corpus: Corpus;
  readonly rules: Rules;
  readonly faults: Faults;
  readonly log: (line: LogLine) => void;
}

/** What goes back to the client. A text is HTML unless `headers` say otherwise. */
interface Reply {
  readonly status: number;
  readonly body: object | string;
  readonly role?: string;
  readonly model?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const maxBodyBytes = 8 * 1024 * 1024;

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown;
  } catch {
    return undefined;
  }
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

const rateLimit = errorBody("Rate limit reached for requests.", "requests", "rate_limit_exceeded");

const transportFaults: Readonly<Record<string, Reply>> = {
  "429": { status: 429, body: rateLimit, headers: { "retry-after-ms": "250", "retry-after": "1" } },
  storm: { status: 429, body: rateLimit, headers: { "retry-after": "1" } },
  "500": { status: 500, body: errorBody("The server had an error while processing your request.", "server_error", null) },
  quota: {
    status: 429,
    body: errorBody(
      "You exceeded your current quota, please check your plan and billing details.",
      "insufficient_quota",
      "insufficient_quota",
    ),
  },
  auth: { status: 401, body: errorBody("Incorrect API key provided.", "invalid_request_error", "invalid_api_key") },
  html: { status: 200, body: "<!doctype html><html><body><h1>Gateway</h1></body></html>" },
};

/** The answer cut in its middle, so that it is no JSON, as if it were whole. */
function broken(answered: Reply): Reply {
  const whole = JSON.stringify(answered.body);
  return { ...answered, body: whole.slice(0, whole.length / 2), headers: { "content-type": "application/json" } };
}

/** The id answers carry: it names the corpus and the code they were made by. */
export function modelId(corpus: Corpus): string {
  return `rehearsal@${corpus.digest.slice(0, 8)}`;
}

/** The OpenAI-compatible server. It keeps nothing between requests but the count of attempts that faults are drawn by. */
export function rehearsalServer({ corpus, rules, faults, log }: Options): Server {
  const id = modelId(corpus);
  const answer = answering(corpus, rules);

  function chat(body: unknown, fault: Parameters<typeof completion>[3]): Reply {
    const request = readRequest(body);
    if (typeof request === "string")
      return { status: 400, body: errorBody(`The request can't be read: ${request}.`, "invalid_request_error", null) };
    if (request.model !== id && request.model !== "rehearsal") {
      const message = `The model \`${request.model}\` does not exist here; ask for \`rehearsal\` or \`${id}\`.`;
      return { status: 404, model: request.model, body: errorBody(message, "invalid_request_error", "model_not_found") };
    }
    const { role, text } = answer(request);
    return { status: 200, role, model: request.model, body: completion(request, id, text, fault) };
  }

  function send(response: ServerResponse, { status, body, headers }: Reply): void {
    if (response.destroyed) return;
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const type = typeof body === "string" ? "text/html" : "application/json";
    response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text), ...headers });
    response.end(text);
  }

  /** Status and headers, and never a byte of the body; the client has to leave. */
  function beginOnly(response: ServerResponse): void {
    if (response.destroyed) return;
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
  }

  async function handleChat(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const begun = performance.now();
    const key = header(request, "x-attune-key");
    const body = await readBody(request);
    const fault = faults.draw(key ?? JSON.stringify(body), header(request, "x-rehearsal-fault"));
    if (fault.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, fault.latencyMs));
    const answered = chat(body, fault.kind);
    const cut = fault.kind === "reset" || fault.kind === "silence";
    const reply = fault.kind === "broken-body" ? broken(answered) : (transportFaults[fault.kind ?? ""] ?? answered);
    log({
      at: new Date().toISOString(),
      key: key ?? null,
      role: answered.role ?? null,
      model: answered.model ?? null,
      fault: fault.kind ?? null,
      status: cut ? 0 : reply.status,
      ms: Math.round((performance.now() - begun) * 10) / 10,
    });
    if (fault.kind === "reset") request.socket.resetAndDestroy();
    else if (fault.kind === "silence") beginOnly(response);
    else send(response, reply);
  }

  let inFlight = 0;
  const server = createServer((request, response) => {
    const path = (request.url ?? "").split("?")[0];
    if (request.method === "POST" && path === "/v1/chat/completions") {
      // A client that goes away in mid-body is no fault of the server.
      inFlight += 1;
      handleChat(request, response)
        .catch(() => response.destroy())
        .finally(() => (inFlight -= 1));
    } else if (request.method === "GET" && path === "/v1/models") {
      send(response, {
        status: 200,
        body: { object: "list", data: [{ id, object: "model", created: 0, owned_by: "rehearsal" }] },
      });
    } else if (request.method === "GET" && path === "/health") {
      send(response, { status: 200, body: { status: "ok", model: id, inFlight } });
    } else {
      const message = `There is no ${request.method ?? ""} ${path ?? ""} here.`;
      send(response, { status: 404, body: errorBody(message, "invalid_request_error", null) });
    }
  });
  server.keepAliveTimeout = 60_000;
  return server;
}
