/**
 * The JSON value in a model's answer, with a bounded repair: code fences, prose around one object, trailing commas.
 * undefined when there is none, or two objects: which one was meant can't be told.
 */
export function readJson(text: string): unknown {
  const whole = tryParse(text);
  if (whole !== undefined) return whole;
  const body = text.replaceAll(/```(?:json)?/gi, "");
  const start = body.indexOf("{");
  const end = body.lastIndexOf("}");
  if (start < 0 || end <= start) return undefined;
  const inner = body.slice(start, end + 1);
  return tryParse(inner) ?? tryParse(inner.replaceAll(/,\s*([}\]])/g, "$1"));
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
