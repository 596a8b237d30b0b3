import { type Markup, markup } from "./markup.ts";

type Cell = Markup | string;

/** Stands above rows that belong together. */
interface Group {
  readonly group: Cell;
}

type Row = readonly Cell[] | Group;

/** A table that scrolls sideways in its own frame on a narrow screen; the first column names the row. `text` lists columns of words. */
export function table(head: readonly Cell[], rows: readonly Row[], { text = [] }: { text?: readonly number[] } = {}): Markup {
  if (rows.length === 0) return markup`<p class="none">Nothing to show.</p>`;
  const left = (i: number) => (i === 0 || text.includes(i) ? markup` class="left"` : null);
  const bare = head.every((cell) => cell === "");
  return markup`<div class="scroll" tabindex="0"><table>
${bare ? null : markup`<thead><tr>${head.map((cell, i) => markup`<th scope="col"${left(i)}>${cell}</th>`)}</tr></thead>`}
<tbody>${rows.map(
    (
      row,
    ) => markup`<tr${isGroup(row) ? markup` class="group"` : null}>${isGroup(row) ? markup`<th scope="rowgroup" class="left" colspan="${head.length}"><span>${row.group}</span></th>` : row.map((cell, i) => (i === 0 ? markup`<th scope="row">${cell}</th>` : markup`<td${left(i)}>${cell}</td>`))}</tr>
`,
  )}</tbody></table></div>`;
}

const isGroup = (row: Row): row is Group => !Array.isArray(row);
