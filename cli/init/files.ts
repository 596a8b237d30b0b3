/** Files of a new experiment: texts with every part that a person replaces, valid as they are. */
interface NewExperiment {
  readonly name: string;
  /** Folder relative to the project's root. */
  readonly folder: string;
  /** Steps up from the folder to the root, for the editor's schema. */
  readonly up: string;
}

export function experimentFile({ name, folder, up }: NewExperiment): string {
  return `# yaml-language-server: $schema=${up}configs/json/experiment.schema.json
# Your own contexts and data. docs/guide.md walks through it; npx attune validate ${folder}/experiment.yaml checks it.
name: ${name}
seed: 1
contexts: [${name}-a, ${name}-b] # files in contexts/ beside this one

# Any OpenAI-compatible API. The key stays in the environment of the llm worker; only its name stands here.
providers:
  api: { baseUrl: https://api.openai.com/v1, apiKeyEnv: OPENAI_API_KEY, width: 16, timeoutSeconds: 120 }
models:
  # Prices in US dollars per million tokens: compare them with your provider's list.
  teacher: { provider: api, model: gpt-4.1-mini, price: { input: 0.4, cachedInput: 0.1, output: 1.6 } }
  simulatedUser: { provider: api, model: gpt-4.1-mini, price: { input: 0.4, cachedInput: 0.1, output: 1.6 } }
  judge: { provider: api, model: gpt-4.1-mini, temperature: 0, price: { input: 0.4, cachedInput: 0.1, output: 1.6 } }

backbones:
  - { id: smollm2-135m, base_model: HuggingFaceTB/SmolLM2-135M-Instruct, weights: smollm2-135m }
encoder: { id: all-MiniLM-L6-v2, weights: minilm }

# What people wanted, docs/human-data.md. These rows are examples: replace them and drop illustrative.
measure: { humanData: ${folder}/human-data.jsonl, illustrative: true }
converse: { conversations: 24, turns: 4 }
reward:
  # Labels of the shipped reward models; they are generic, not of your contexts.
  labels:
    guide: rehearsal/corpus/labels-guide.jsonl
    evaluator: rehearsal/corpus/labels-evaluator.jsonl
    anchors: rehearsal/corpus/anchors.jsonl
  author: author-scored by the declared rubric
align: { lora_top_layers: 10, learning_rate: 0.002, max_steps: 24 }
evaluate:
  split: validation # keep test sealed until the recipe stands
  conversations: 12
  turns: 4
  arms: [baseline, system_prompt, adapter, wrong_adapter]
budget: { maxCalls: 6000, maxCostUsd: 10 }
`;
}

/** Placeholders by split, each of its own words: one situation in two splits is refused. */
const situations = [
  ["pairs", "They have to tell their team about a mistake."],
  ["pairs", "A neighbour's dog barks all night and nothing helps."],
  ["pairs", "Their first week in a new city was lonely."],
  ["pairs", "An application needs rewriting before Friday."],
  ["validation", "Someone wants to understand why a recipe keeps failing."],
  ["validation", "A promotion went to another colleague again."],
  ["test", "Her brother stopped answering messages last month."],
  ["test", "He learns the guitar and gets stuck on chords."],
] as const;

export function contextFile({ up }: NewExperiment, id: string, title: string): string {
  const families = situations.map(
    ([split, situation], i) =>
      `  - id: ${id}-situation-${i + 1}\n    split: ${split}\n    situation: "Replace this example: ${situation}"`,
  );
  return `# yaml-language-server: $schema=../${up}configs/json/context.schema.json
# One kind of conversation. A family is one situation and lies in one split only, so that evaluation sees situations training never saw.
# These are 4 families for pairs, 2 for validation and 2 for test, enough to try it out; a real run needs 8, 4 and 4 at least.
id: ${id}
title: "${title}"
illustrative: true
personas:
  names: [Ada, Bela, Chidi, Dana, Emre, Farah]
  ages: [20, 70]
  occupations: [a baker, a clerk, a nurse, a teacher, a driver]
  manners: ["short sentences", "rambling", "dry humour", "anxious", "matter-of-fact", "thoughtful"]
pattern:
  do: ["Replace this: what a fitting answer does."]
  avoid: ["Replace this: what it leaves out."]
  example:
    user: "What the person says."
    fitting: "An answer as people wanted it."
    unfitting: "An answer they did not want."
families:
${families.join("\n")}
`;
}

/** In each context: 60 % of participants make its target, and with so many none of two million seeds leaves too few. */
const exampleParticipants = 20;

/** Example rows: enough for `measure`, clearly marked as made up. */
export function humanDataFile(contexts: readonly string[]): string {
  const rows = contexts.flatMap((context, c) =>
    Array.from({ length: exampleParticipants }, (_, i) => ({
      participant: `person-${String(i + 1).padStart(2, "0")}-example`,
      model: "example-model",
      // A participant has a task once: the two contexts are two tasks.
      task: `replace with the name of the task in ${context}`,
      context,
      desiredEmpathy: 1 + ((i + c) % 3),
      illustrative: true,
    })),
  );
  return `${rows.map((row) => JSON.stringify(row)).join("\n")}\n`;
}
