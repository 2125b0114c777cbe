// What was looked at in the source to find out what its columns hold. Holds values of rows: it never leaves the process and goes into no message.

export interface ColumnSample {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  /** For json-like, composite and hstore columns: where in the value (`contact.email`). */
  readonly path?: string;
  /** Values that are not NULL, as text, cut to some hundred characters. */
  readonly values: readonly string[];
}

/** The paths that there are inside one json, jsonb, hstore or composite column, or array of them. */
export interface PathInventory {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  /** True when every row was looked at, false for a sample of them. */
  readonly whole: boolean;
  /** Leaves by path, `[]` for any element and `*` for keys that are data themselves; sorted. */
  readonly paths: readonly { readonly path: string; readonly kinds: readonly string[] }[];
  /** Some object has keys that are data: every path below it goes through `*`. */
  readonly dataKeys: boolean;
  /** There were more paths than are listed. */
  readonly cut: boolean;
}
