/** Text that is markup already. Only `markup` makes it, so nothing else reaches the page unescaped. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Markup | null | false | readonly Part[];

/** Markup from a template: every interpolated string is escaped, markup is kept, lists are joined, null and false vanish. */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.reduce((out, text, i) => out + text + (i < parts.length ? render(parts[i] ?? null) : ""), ""));
}

function render(part: Part): string {
  if (part === null || part === false) return "";
  if (part instanceof Markup) return part.text;
  if (typeof part === "object") return part.map(render).join("");
  return escape(String(part));
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escape(text: string): string {
  return (
    text
      .replaceAll(/[&<>"']/g, (c) => entities[c] ?? c)
      // oxlint-disable-next-line no-control-regex -- control characters have no place in HTML
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, "\u{fffd}")
  );
}
