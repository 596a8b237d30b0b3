import type { ActivityInterceptorsFactory } from "@temporalio/worker";

const beatMs = 5000;

/** An activity heartbeats as long as it works, whatever it does: a step over many conversations may take long, and a dead worker shows at once. */
export const beating: ActivityInterceptorsFactory = (context) => ({
  inbound: {
    execute: async (input, next) => {
      const timer = setInterval(() => context.heartbeat(), beatMs);
      try {
        return await next(input);
      } finally {
        clearInterval(timer);
      }
    },
  },
});
