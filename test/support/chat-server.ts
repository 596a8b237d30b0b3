import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export interface Asked {
  readonly n: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: {
    readonly model: string;
    readonly messages: readonly { role: string; content: string }[];
    readonly seed: number;
    readonly [key: string]: unknown;
  };
  /** The last message. */
  readonly text: string;
}

/** A text is a completion; `reset` cuts the connection, `silence` sends headers and nothing more. */
export type Reply =
  | { readonly text: string; readonly finishReason?: string; readonly delayMs?: number }
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: string;
      readonly delayMs?: number;
    }
  | "reset"
  | "silence";

/** A scripted OpenAI-compatible server on loopback, without a list of models. `asked` holds every request, in order of arrival. */
export async function chatServer(script: (asked: Asked) => Reply) {
  const asked: Asked[] = [];
  let inFlight = 0;
  let widest = 0;
  const server = createServer((request, response) => {
    if (request.method === "GET") {
      response.writeHead(404).end();
      return;
    }
    const parts: Buffer[] = [];
    inFlight += 1;
    widest = Math.max(widest, inFlight);
    response.once("close", () => (inFlight -= 1));
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(parts).toString()) as Asked["body"];
      const one: Asked = { n: asked.length, headers: request.headers, body, text: body.messages.at(-1)?.content ?? "" };
      asked.push(one);
      const reply = script(one);
      const send = () => {
        if (reply === "reset") request.socket.destroy();
        else if (reply === "silence") response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
        else if ("text" in reply)
          response.setHeader("content-type", "application/json").end(completion(reply.text, reply.finishReason));
        else response.writeHead(reply.status, reply.headers).end(reply.body);
      };
      if (typeof reply === "object" && reply.delayMs !== undefined) setTimeout(send, reply.delayMs);
      else send();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    asked,
    widest: () => widest,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

function completion(text: string, finishReason = "stop"): string {
  return JSON.stringify({
    model: "answered-model",
    system_fingerprint: "fp-1",
    choices: [{ index: 0, finish_reason: finishReason, message: { role: "assistant", content: text } }],
    usage: { prompt_tokens: 100, completion_tokens: 20, prompt_tokens_details: { cached_tokens: 40 } },
  });
}

export function errorReply(status: number, code: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ error: { message: code, code } }),
  };
}
