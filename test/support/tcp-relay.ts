import { connect, createServer, type Socket } from "node:net";

/** Passes connections at an address of its own on to a server that listens on loopback alone. */
export function tcpRelay(host: string, target: string): Promise<{ readonly address: string; readonly close: () => void }> {
  const open = new Set<Socket>();
  const [, port] = target.split(":");
  const relay = createServer((incoming) => {
    const outgoing = connect(Number(port), "127.0.0.1");
    for (const socket of [incoming, outgoing]) {
      open.add(socket);
      socket.once("close", () => {
        open.delete(socket);
        incoming.destroy();
        outgoing.destroy();
      });
      socket.on("error", () => undefined);
    }
    incoming.pipe(outgoing).pipe(incoming);
  });
  const close = () => {
    relay.close();
    for (const socket of open) socket.destroy();
  };
  return new Promise((resolve, reject) => {
    relay.once("error", reject);
    relay.listen(0, host, () => {
      const bound = relay.address();
      if (bound === null || typeof bound === "string") reject(new Error("The system gave the relay no port"));
      else resolve({ address: `${host}:${bound.port}`, close });
    });
  });
}
