import { defineConfig } from "oxlint";

const rooms = ["domain", "contract", "configs", "platform", "activities", "workflows", "workers", "cli", "rehearsal"];

/** Who may import whom: the arrows of docs/architecture.md. */
const arrows: Record<string, readonly string[]> = {
  domain: [],
  contract: ["domain"],
  configs: ["domain", "contract"],
  platform: ["domain", "contract"],
  activities: ["platform", "domain", "contract", "configs"],
  workflows: ["contract", "domain"],
  workers: ["activities", "platform", "domain", "contract", "configs", "workflows"],
  cli: ["configs", "contract", "domain", "platform", "workers"],
  rehearsal: [],
};

const stageRooms = ["measure", "converse", "steer", "reward", "align", "evaluate", "report"];

const forbid = (folders: readonly string[], message: string, more: readonly string[] = []) => ({
  "no-restricted-imports": [
    "error",
    {
      patterns: [
        {
          group: [...folders.flatMap((folder) => [`../${folder}/**`, `../../${folder}/**`, `../../../${folder}/**`]), ...more],
          message,
        },
      ],
    },
  ],
});

const builtins = ["node:*", "zod", "openai", "execa", "@temporalio/worker", "@temporalio/client", "@temporalio/activity"];

export default defineConfig({
  plugins: ["typescript", "import", "unicorn", "oxc", "promise"],
  categories: { correctness: "error", suspicious: "error" },
  rules: {
    "typescript/no-explicit-any": "error",
    "typescript/no-floating-promises": "error",
    "typescript/no-misused-promises": "error",
    "typescript/no-non-null-assertion": "error",
    // Rows of a database and JSON of our own files are asserted where they are read; what comes from outside is parsed.
    "typescript/no-unsafe-type-assertion": "off",
    "import/no-cycle": "error",
    // Our interfaces are records of functions; none of them reads `this`.
    "typescript/unbound-method": "off",
    // Protocol enums are named by their numbers, so that no protobuf package is needed at run time.
    "typescript/no-unsafe-enum-assignment": "off",
    "typescript/no-unnecessary-type-parameters": "off",
    "import/no-named-as-default-member": "off",
    "promise/always-return": "off",
    "no-shadow": "off",
    "no-await-in-loop": "off",
    "import/no-unassigned-import": "off",
    "unicorn/consistent-function-scoping": "off",
  },
  overrides: [
    ...Object.entries(arrows).map(([room, allowed]) => ({
      files: [`${room}/**`],
      rules: forbid(
        rooms.filter((other) => other !== room && !allowed.includes(other)),
        `${room}/ may import only ${allowed.join(", ") || "itself"}`,
        room === "workflows" ? builtins : [],
      ),
    })),
    ...stageRooms.map((stage) => ({
      files: [`activities/${stage}/**`],
      rules: forbid(
        [...stageRooms.filter((other) => other !== stage), "workflows", "workers", "cli", "rehearsal"],
        "a stage never imports another stage; what several need has a room of its own",
      ),
    })),
    { files: ["test/**"], rules: { "typescript/no-non-null-assertion": "off", "typescript/require-array-sort-compare": "off" } },
  ],
  ignorePatterns: ["node_modules", ".attune", "test/fixtures/**"],
});
