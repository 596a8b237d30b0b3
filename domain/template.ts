/**
 * Fills `{{slot}}`s. Values are put in once and never read as a template themselves.
 * @throws Error naming a slot that has no value
 */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template
    .replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => {
      const value = values[name];
      if (value === undefined) throw new Error(`The prompt has a slot {{${name}}} that nothing fills`);
      return value;
    })
    .trim();
}
