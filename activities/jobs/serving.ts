import type { JobRequest } from "../../contract/jobs.ts";
import type { RunningJob } from "../../platform/jobs/launcher.ts";
import { attemptJob } from "./attempt.ts";
import { jobFailure } from "./failures.ts";
import { follow } from "./follow.ts";
import type { Followed } from "./follow.ts";
import type { JobDeps, JobsNode } from "./node.ts";
import { reportEnd } from "./run.ts";
import { announce, answers, readReady } from "./serving-record.ts";
import { ensureJob } from "./start.ts";

/** Loading a model and its adapters takes less than this, or the server hangs. */
const readyMs = 300_000;
const healthMs = 2000;
const healthTimeoutMs = 10_000;
/** Unanswered looks in a row after which a server counts as hanging; a busy one may miss a few. */
const missesAllowed = 6;
/** A server that ends this soon after it was started, this often in a row, will not do better the next time. */
const steadyMs = 60_000;
const quickEndsAllowed = 3;

/**
 * Keeps a server up until it is cancelled: writes the `Serving` record when it answers, looks after its health, and starts the next generation
 * when it died.
 * @throws JobFailed or JobLost when it can't be brought up
 */
export async function keepServing(deps: JobDeps, node: JobsNode, request: JobRequest): Promise<void> {
  return attemptJob(deps, node, request, async (attempt) => {
    for (let quickEnds = 0; ;) {
      const startedAt = deps.env.now().getTime();
      const ensured = await ensureJob(attempt);
      const exit =
        ensured.state === "ended" ? ensured.exit : await follow(attempt, ensured.running, healthOf(attempt, ensured.running));
      const end = await reportEnd(attempt, exit);
      quickEnds = deps.env.now().getTime() - startedAt < steadyMs ? quickEnds + 1 : 0;
      deps.log.warn("A server ended; the next generation is started", { job: request.job, cause: end.cause, quickEnds });
      const hopeless = end.cause === "bad-spec" || end.cause === "bad-data" || end.cause === "start-failed";
      if (hopeless || quickEnds > quickEndsAllowed) throw jobFailure(end);
    }
  });
}

/** Announces the server when it is ready; afterwards says when it has stopped answering. */
function healthOf(
  { deps, request, place }: Pick<Followed, "deps" | "request" | "place">,
  running: RunningJob,
): () => Promise<string | null> {
  const since = deps.env.now().getTime();
  let endpoint: string | null = null;
  let looked = 0;
  let misses = 0;
  return async () => {
    const now = deps.env.now().getTime();
    if (endpoint === null) {
      const found = await readReady(place);
      if (found === null) return now - since > readyMs ? `it was not ready within ${readyMs / 1000} s` : null;
      const { generation } = await announce(deps, request.job, running, found);
      deps.log.info("A server answers", { job: request.job, generation, endpoint: found.endpoint });
      endpoint = found.endpoint;
      looked = now;
    }
    if (now - looked < healthMs) return null;
    looked = now;
    misses = (await answers(endpoint, healthTimeoutMs)) ? 0 : misses + 1;
    return misses > missesAllowed ? `it left ${misses} looks unanswered` : null;
  };
}
