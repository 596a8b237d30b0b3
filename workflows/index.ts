export { batch } from "./batch.ts";
export { evaluation } from "./evaluation.ts";
export { experiment } from "./experiment.ts";
export { nightly } from "./nightly.ts";
export { shard } from "./shard.ts";
