/** Task queues, one per resource class. A prefix keeps tests apart on one server. */
export interface Queues {
  readonly control: string;
  readonly llm: string;
  /** The pool: only `claimNode` runs here; jobs run on the queue of the node that was claimed. */
  readonly gpu: string;
}

export function queuesFor(prefix: string): Queues {
  return { control: `${prefix}-control`, llm: `${prefix}-llm`, gpu: `${prefix}-gpu` };
}

export const defaultQueues: Queues = queuesFor("attune");

/** The queue of one node in the pool; `node` matches /^[a-z0-9-]{1,40}$/. */
export function nodeQueue(pool: string, node: string): string {
  return `${pool}-${node}`;
}

/** Where a node ends jobs: apart from its jobs, so that an end never waits for a free slot. */
export function stopQueue(nodeQueue: string): string {
  return `${nodeQueue}-stop`;
}
