import { context } from "../../configs/schema/context.ts";
import { schedule } from "../../configs/schema/schedule.ts";
import { commandOutput, type Output } from "../output.ts";
import { openProject } from "../project.ts";
import { estimateCalls } from "../config/call-estimate.ts";
import { loadExperiment } from "../config/experiment.ts";
import { parseWritten } from "../config/issues.ts";
import { checkLeaks } from "../config/leaks.ts";
import { checkMoney } from "../config/money.ts";
import { readReferences } from "../config/references.ts";
import { readYaml, type YamlFile } from "../config/yaml.ts";
import { estimateText } from "../view/estimate.ts";

interface Options {
  readonly json?: boolean;
  readonly set?: readonly string[];
}

/** Any of these tells what a file is, so that one that lacks another is judged as what it was meant to be. */
const contextKeys = ["families", "personas", "pattern"];
const scheduleKeys = ["experiment", "cron", "calendar", "overlap"];

/** `attune validate FILE`: an experiment with all it names, a context or a schedule. Asks no server and starts nothing. */
export async function validate(file: string, options: Options): Promise<void> {
  const output = commandOutput(options);
  const written = await readYaml(file);
  const holds = (keys: readonly string[]) => keys.some((key) => has(written, key));
  if (holds(contextKeys)) {
    const parsed = parseWritten(context, written.value, written.where);
    checkLeaks([{ context: parsed, where: written.where }]);
    return valid(output, file, "context", parsed.id);
  }
  if (holds(scheduleKeys)) return valid(output, file, "schedule", parseWritten(schedule, written.value, written.where).id);
  const project = await openProject();
  const experiment = await loadExperiment(file, { env: project.env, sets: options.set ?? [] });
  checkMoney(experiment);
  const references = await readReferences(experiment, { file, root: project.root });
  const estimate = estimateCalls({ experiment, ...references });
  const { contexts, backbones } = experiment;
  output.result(
    { file, kind: "experiment", id: experiment.name, experiment, estimate },
    `${file} is a valid experiment: ${experiment.name}, ${contexts.join(", ")} on ${backbones.map(({ id }) => id).join(", ")}.\n${estimateText(estimate, experiment, [])}`.trimEnd(),
  );
}

const has = ({ value }: YamlFile, key: string) => typeof value === "object" && value !== null && key in value;

function valid(output: Output, file: string, kind: string, id: string): void {
  output.result({ file, kind, id }, `${file} is a valid ${kind}: ${id}.`);
}
