// What a source is asked before a row is copied: made-up rows under its conditions, and counts.
import type { DataType, TableName } from './catalogue.js';
import type { Rows } from './definition.js';

/** A condition of the source's schema, and made-up rows for it. */
export interface Trial {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** True or NULL where it holds; absent: being of the types is all that is asked. */
  readonly sql?: string;
  /** What the table is called in it. */
  readonly alias: string;
  /** Values as the server prints them, null for NULL. */
  readonly rows: readonly (readonly (string | null)[])[];
}

/** Per row whether it meets the condition; MAY be of fewer rows than were given. Or the server could not say. */
export type Trialled = { readonly holds: readonly boolean[] } | { readonly sqlState: string };

/**
 * With a path: the values at it, of the table's first 20,000 rows where these show 10,000 distinct ones, else of its first 200,000; how an array or
 * composite is walked, its type says.
 */
export interface CountedColumn extends TableName {
  readonly column: string;
  readonly path?: string;
  readonly type?: DataType;
}

/** A foreign key of a table whose referenced table is cut by `rows: none | where`. */
export interface CutReference extends TableName {
  readonly constraint: string;
  readonly rows: Rows;
  readonly references: TableName;
  readonly referencedRows: Rows;
}
