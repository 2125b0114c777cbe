// A table as its records have it: columns in the order of COPY, which of them are the key, and what every record says of where it is from.
import type { TableName } from '../../../../pipeline/catalogue.js';
import { type RowType } from './row-type.js';

export interface RowColumn {
  readonly name: string;
  readonly type: RowType;
  readonly nullable: boolean;
}

export interface RowTable extends TableName {
  readonly columns: readonly RowColumn[];
  /** Positions of the primary key's columns, in the key's order; empty: the table has none, and its records no key. */
  readonly key: readonly number[];
}

/** The same in every record of a table and run. */
export interface RowOrigin {
  /** Of Bauta. */
  readonly version: string;
  /** `bauta.<workspace>.<environment>`: what the topics begin with. */
  readonly name: string;
  readonly database: string;
  readonly runId: string;
  /** When the rows were so. */
  readonly atMs: number;
  /** When the run wrote them. */
  readonly writtenAtMs: number;
}

export const rowFormats = ['connect-json', 'json', 'avro'] as const;
export type RowFormat = (typeof rowFormats)[number];
