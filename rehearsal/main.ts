import { parseArgs } from "node:util";
import { loadCorpus } from "./corpus.ts";
import { Faults } from "./faults.ts";
import { loadRules } from "./judge/rules.ts";
import { openLog } from "./log.ts";
import { modelId, rehearsalServer } from "./server.ts";
import { readStorm } from "./storm.ts";

const usage = `node rehearsal/main.ts [--host 127.0.0.1] [--port 0] [--log FILE] [--latency-ms N] [--faults 429=0.05,reset=0.01,seed=7]
  [--storm-after-calls N --storm-seconds S]   after N requests every one is answered 429 for S seconds, once`;

function fail(message: string): never {
  process.stderr.write(`${message}\nUsage: ${usage}\n`);
  process.exit(2);
}

function options() {
  try {
    const { values } = parseArgs({
      options: {
        host: { type: "string", default: "127.0.0.1" },
        port: { type: "string", default: "0" },
        log: { type: "string" },
        "latency-ms": { type: "string", default: "0" },
        faults: { type: "string", default: "" },
        "storm-after-calls": { type: "string" },
        "storm-seconds": { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      process.stdout.write(`Usage: ${usage}\n`);
      process.exit(0);
    }
    const storm = readStorm(values["storm-after-calls"], values["storm-seconds"]);
    const faults = new Faults(values.faults, Number(values["latency-ms"]), storm);
    return { host: values.host, port: Number(values.port), log: values.log, faults };
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

const { host, port, log, faults } = options();
const corpus = loadCorpus();
const server = rehearsalServer({ corpus, rules: loadRules(), faults, log: openLog(log) });
server.on("error", (error) => fail(`The rehearsal teacher can't listen on port ${port} of ${host}: ${error.message}`));
server.listen(port, host, () => {
  const address = server.address();
  if (address === null || typeof address === "string") fail("The rehearsal teacher got no port");
  process.stdout.write(
    `${JSON.stringify({ url: `http://${host}:${address.port}/v1`, model: modelId(corpus), pid: process.pid })}\n`,
  );
});
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections();
  });
}
