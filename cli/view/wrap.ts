const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const printableAscii = /^[ -~]*$/;
/** Drawn over two columns by terminals: East Asian wide and full-width forms, and emoji. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;

/** Columns that a text takes on a terminal. */
export function columnsWide(text: string): number {
  if (printableAscii.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of segmenter.segment(text)) columns += wide.test(segment) ? 2 : 1;
  return columns;
}

/** Text of a model, safe to show: control and direction characters become marks, so that none steers the terminal; tabs become spaces. */
export function harmless(text: string): string {
  return text
    .replaceAll(/\r\n?/g, "\n")
    .replaceAll("\t", "    ")
    .replaceAll(/[\p{Cc}--\n]|[\u202a-\u202e\u2066-\u2069]/gv, "\ufffd");
}

/** Lines of at most `width` columns, broken between words; a longer word is cut. Line breaks and indentation stay. */
export function wrap(text: string, width: number): readonly string[] {
  return harmless(text)
    .replace(/[ \n]+$/, "")
    .split("\n")
    .flatMap((line) => wrapLine(line, width));
}

function wrapLine(line: string, width: number): readonly string[] {
  const blank = /^ */.exec(line)?.[0] ?? "";
  const indent = blank.length < width / 2 ? blank : "";
  const lines: string[] = [];
  let current = "";
  for (const word of line.slice(blank.length).split(/ +/)) {
    for (const piece of pieces(word, width - indent.length)) {
      const longer = current === "" ? `${indent}${piece}` : `${current} ${piece}`;
      if (current === "" || columnsWide(longer) <= width) {
        current = longer;
      } else {
        lines.push(current);
        current = `${indent}${piece}`;
      }
    }
  }
  return [...lines, current];
}

/** A word in parts that fit. */
function pieces(word: string, width: number): readonly string[] {
  if (columnsWide(word) <= width) return [word];
  const parts: string[] = [];
  let part = "";
  for (const { segment } of segmenter.segment(word)) {
    if (part !== "" && columnsWide(part + segment) > width) {
      parts.push(part);
      part = "";
    }
    part += segment;
  }
  return [...parts, part];
}

/** A text under a name that stands in a column of its own. */
export function labelled(label: string, labelColumns: number, text: string, width: number): string {
  const margin = " ".repeat(labelColumns + 2);
  const body = wrap(text, Math.max(20, width - margin.length));
  const name = harmless(label);
  const head = `${" ".repeat(Math.max(0, labelColumns - columnsWide(name)))}${name}`;
  return body.map((line, i) => (i === 0 ? `${head}  ${line}` : `${margin}${line}`).trimEnd()).join("\n");
}

/** Two texts beside each other, a line between them. */
export function beside(left: string, right: string, width: number): string {
  const half = Math.floor((width - 3) / 2);
  const [a, b] = [wrap(left, half), wrap(right, half)];
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => {
    const cell = a[i] ?? "";
    return `${cell}${" ".repeat(half - columnsWide(cell))} │ ${b[i] ?? ""}`.trimEnd();
  }).join("\n");
}
