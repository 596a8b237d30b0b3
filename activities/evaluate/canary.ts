import { Context } from "@temporalio/activity";
import { ApplicationFailure } from "@temporalio/common";
import { setTimeout as delay } from "node:timers/promises";
import { failures } from "../../contract/failures.ts";
import type { Serving } from "../../contract/jobs.ts";
import type { RunRef } from "../../contract/units.ts";
import { conversationMeter } from "../../platform/llm/meter.ts";
import type { Deps } from "../deps.ts";
import { withTypedFailures } from "../failures.ts";
import { ledgerRun } from "../stages/records.ts";
import { canaryKey, canaryPassed, readServing, studentModel } from "./serving.ts";

/** Plain openings: an adapter that changes none of the greedy answers to them is not active. */
const prompts = [
  "I had a hard day and I don't know where to begin.",
  "Can you help me with a text for work?",
  "I keep failing at this and want to give up.",
];
const canaryTokens = 24;
const pollMs = 1000;
const heartbeatMs = 4000;

export function makeServingActivities(deps: Deps) {
  return {
    awaitServing: async ({
      run,
      serving,
      afterGeneration,
    }: {
      run: RunRef;
      serving: string;
      afterGeneration: number;
    }): Promise<Serving> => {
      const context = Context.current();
      const signal = context.cancellationSignal;
      return withTypedFailures(signal, async () => {
        for (;;) {
          context.heartbeat({ turn: 0, cause: `waiting for ${serving} to answer` });
          const found = await readServing(deps, serving);
          if (found !== null && found.generation > afterGeneration) {
            // Its calls queue behind those of running conversations: one can take longer than a heartbeat.
            const beat = setInterval(() => context.heartbeat({ turn: 0, cause: `canary of ${serving}` }), heartbeatMs);
            await canary(deps, run, serving, found, signal).finally(() => clearInterval(beat));
            return found;
          }
          await delay(pollMs, undefined, { signal });
        }
      });
    },
  };
}

/** Every adapter must change a greedy answer against the base; once a generation, since a new server may have loaded other files. */
async function canary(deps: Deps, run: RunRef, name: string, serving: Serving, signal: AbortSignal): Promise<void> {
  const config = await deps.config(run);
  if (await canaryPassed(deps, name, serving.generation)) return;
  const base = serving.models.find((model) => config.experiment.backbones.some((backbone) => backbone.id === model));
  if (base === undefined)
    throw new Error(`The server of ${name} offers ${serving.models.join(", ")}, none of which is a backbone of the run`);
  const answers = new Map<string, readonly string[]>();
  for (const model of serving.models) {
    const texts: string[] = [];
    for (const [turn, content] of prompts.entries()) {
      const { model: student, weights } = studentModel(serving, model, base, config);
      const answer = await deps.caller.call({
        role: "student",
        endpoint: student.endpoint,
        model,
        weights,
        price: student.price,
        messages: [{ role: "user", content }],
        sampling: { temperature: 0, topP: 1, maxTokens: canaryTokens },
        schema: null,
        unit: `canary/${name}`,
        turn,
        // A generation asks anew: a recorded answer would say nothing about this server.
        sample: serving.generation,
        epoch: run.epoch,
        labels: { run: ledgerRun(run), stage: "evaluate", context: "", arm: "canary" },
        meter: conversationMeter({ calls: null, usd: null }),
        signal,
      });
      texts.push(answer.text);
    }
    answers.set(model, texts);
  }
  const greedy = answers.get(base) ?? [];
  const idle = [...answers]
    .filter(([model, texts]) => model !== base && texts.every((text, i) => text === greedy[i]))
    .map(([model]) => model);
  if (idle.length > 0) {
    throw ApplicationFailure.create({
      type: failures.canaryFailed,
      message: `${idle.join(", ")} answer every canary prompt exactly as the base does: the adapter is not active, or was not trained`,
      nonRetryable: true,
    });
  }
  await deps.records.putFirst(canaryKey(name, serving.generation), { models: serving.models, engine: serving.engine });
}
