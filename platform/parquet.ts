import { fileWriter, parquetWriteRows } from "hyparquet-writer";

/** What a column holds. Every value may be null, as in the files that pyarrow and `datasets` write. */
type Column =
  | { readonly kind: "text" | "integer" | "number" | "flag" }
  | { readonly kind: "list"; readonly of: Column }
  | { readonly kind: "struct"; readonly fields: Columns };
/** Columns of a table or fields of a struct, in their order. */
export type Columns = Readonly<Record<string, Column>>;

export const text: Column = { kind: "text" };
/** 32 bits. */
export const integer: Column = { kind: "integer" };
export const number: Column = { kind: "number" };
export const flag: Column = { kind: "flag" };
export const list = (of: Column): Column => ({ kind: "list", of });
export const struct = (fields: Columns): Column => ({ kind: "struct", fields });

type Row = Readonly<Record<string, unknown>>;
type Schema = NonNullable<Parameters<typeof parquetWriteRows>[0]["schema"]>;

/** The unit that is held in memory, and that a reader skips or reads as a whole. */
const rowGroupSize = 1000;

/**
 * Writes rows to a new Parquet file, compressed with Snappy, a row group at a time; answers their number.
 * @throws TypeError on a value that its column can't hold, and on a key without a column: nothing is left out in silence
 */
export async function writeParquet(file: string, columns: Columns, rows: AsyncIterable<Row>): Promise<number> {
  let written = 0;
  const checked = async function* () {
    for await (const row of rows) {
      written += 1;
      check(row, struct(columns), `row ${written}`);
      yield row;
    }
  };
  await parquetWriteRows({
    writer: fileWriter(file),
    columns: Object.keys(columns).map((name) => ({ name })),
    schema: [{ name: "schema", num_children: Object.keys(columns).length }, ...elements(columns)],
    rows: checked(),
    rowGroupSize,
    createdBy: "attune",
  });
  return written;
}

const elements = (columns: Columns): Schema => Object.entries(columns).flatMap(([name, column]) => element(name, column));

const plain = { text: "BYTE_ARRAY", integer: "INT32", number: "DOUBLE", flag: "BOOLEAN" } as const;

/** Lists have the three levels of the format's specification, under the names that pyarrow writes. */
function element(name: string, column: Column): Schema {
  const optional = { name, repetition_type: "OPTIONAL" } as const;
  switch (column.kind) {
    case "text":
      return [{ ...optional, type: plain.text, converted_type: "UTF8" }];
    case "list":
      return [
        { ...optional, converted_type: "LIST", num_children: 1 },
        { name: "list", repetition_type: "REPEATED", num_children: 1 },
        ...element("element", column.of),
      ];
    case "struct":
      return [{ ...optional, num_children: Object.keys(column.fields).length }, ...elements(column.fields)];
    default:
      return [{ ...optional, type: plain[column.kind] }];
  }
}

const fits = {
  text: (value: unknown) => typeof value === "string",
  integer: (value: unknown) => Number.isInteger(value) && Math.abs(value as number) < 2 ** 31,
  number: (value: unknown) => typeof value === "number",
  flag: (value: unknown) => typeof value === "boolean",
  list: (value: unknown) => Array.isArray(value),
  struct: (value: unknown) => typeof value === "object" && !Array.isArray(value),
};

function check(value: unknown, column: Column, path: string): void {
  if (value === null || value === undefined) return;
  if (!fits[column.kind](value)) throw new TypeError(`${path} is ${short(value)}, and its column holds ${column.kind}`);
  if (column.kind === "list") {
    for (const [i, item] of (value as readonly unknown[]).entries()) check(item, column.of, `${path}[${i}]`);
  } else if (column.kind === "struct") {
    for (const [key, member] of Object.entries(value)) {
      const field = Object.hasOwn(column.fields, key) ? column.fields[key] : undefined;
      if (field === undefined) throw new TypeError(`${path} has ${key}, for which there is no column`);
      check(member, field, `${path}.${key}`);
    }
  }
}

function short(value: unknown): string {
  const written = JSON.stringify(value) ?? String(value);
  return written.length > 40 ? `${written.slice(0, 39)}…` : written;
}
