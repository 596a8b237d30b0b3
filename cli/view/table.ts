/** Columns of text, the first left, the others right aligned unless named left. */
export function table(rows: readonly (readonly string[])[], leftColumns: readonly number[] = [0]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (leftColumns.includes(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** 75 → `1 min 15 s`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** A price that is not known is never shown as 0. */
export function money(usd: number | null): string {
  return usd === null ? "unknown" : `$${usd.toFixed(usd < 1 ? 4 : 2)}`;
}

export function count(value: number): string {
  return value.toLocaleString("en-US");
}
