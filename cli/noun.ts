import type { Command, CommandOptions } from "commander";

/** A word with commands of its own, such as `attune data ls`. */
export function noun(program: Command, name: string, about: string) {
  const group = program.command(name).description(about);
  return {
    command: (words: string, description: string, options: CommandOptions = {}) =>
      group.command(words, options).description(description).option("--json", "machine output: stdout holds JSON only"),
    /** For a noun with a default command: Commander would take a word that is no command for an argument of that one. */
    onlyKnown: () =>
      group.hook("preSubcommand", () => {
        const [word] = group.args;
        const names = group.commands.map((known) => known.name());
        if (word !== undefined && !word.startsWith("-") && !names.includes(word))
          group.error(`error: unknown command '${name} ${word}'; there are ${names.join(", ")}`);
      }),
  };
}
