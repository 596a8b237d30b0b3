/** Whose adapter plays a context's wrong one: the next context's, in the order of the experiment. With one context there is none but its own. */
export function wrongContext(contexts: readonly string[], context: string): string | undefined {
  return contexts[(contexts.indexOf(context) + 1) % contexts.length];
}
