// Rows that attacks are tried on, original and pseudonym side by side: texts of COPY, in memory only, and gone with the measurement.
import type { ColumnPlan, TablePlan } from '../../plan.js';

export interface TriedRows {
  readonly table: TablePlan;
  /** Row by row the fields of the table's columns. */
  readonly originals: readonly (readonly string[])[];
  readonly copies: readonly (readonly string[])[];
}

export function fieldOf({ table }: TriedRows, { name }: Pick<ColumnPlan, 'name'>): number {
  return table.columns.findIndex((one) => one.name === name);
}

const signs: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', v: '\v' };

/** A field of COPY text as UTF-8; undefined for NULL. `field`: its bytes, one sign each. */
export function toText(field: string): string | undefined {
  if (field === '\\N') return undefined;
  const bytes = field.includes('\\') ? field.replace(/\\(.)/gs, (_, sign: string) => signs[sign] ?? sign) : field;
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
