// What a plan's rules make of made-up rows, under keys that mask nothing else: so that the schema's conditions can be asked about pseudonyms
// before a row is read.
import { createHash } from 'node:crypto';

import type { DataType } from '../catalogue.js';
import type { ColumnPlan, Plan, TablePlan } from '../plan.js';
import type { KeyProvider } from '../ports.js';
import { BautaError } from '../../kernel/errors.js';
import { escapes } from './copy-text.js';
import { makeUpDocuments, makeUpValues } from './made-up.js';
import { Masker } from './masker.js';
import { transforms } from './registry.js';
import { deriveKeys, toKeyScope } from './rule-keys.js';
import { Lines } from './split.js';
import { showPlainKey, toStructure } from './structure/structure.js';
import { withoutVault } from './vaulted-columns.js';

/** The same columns of one made-up row, as the server would print them; null for NULL. */
export interface RehearsedRow {
  readonly before: readonly (string | null)[];
  readonly after: readonly (string | null)[];
}

/** Public, and used for nothing else: a pseudonym of a run cannot be told from one of these. */
const keys: Pick<KeyProvider, 'derive'> = {
  derive: (label) => Promise.resolve(new Uint8Array(createHash('sha256').update(`bauta rehearsal\0${label}`).digest())),
};
const key: DataType = { display: 'bigint', kind: 'base', base: 'int8', deterministicCollation: true };

/** Up to `count` rows of these columns of the table; rows that a transform refuses are left out. Empty where a type's values cannot be made up. */
export async function rehearse(
  plan: Plan,
  table: TablePlan,
  columns: readonly ColumnPlan[],
  literals: readonly string[],
  count: number,
): Promise<readonly RehearsedRow[]> {
  const values = columns.map(({ type, rule }) => {
    const structure = rule.paths && toStructure(type);
    return rule.paths && (structure === 'json' || structure === 'hstore')
      ? makeUpDocuments(type, rule.paths)
      : makeUpValues(type, literals);
  });
  if (values.some((choices) => choices.length === 0)) return [];
  const hidden: TablePlan['hidden'] = [
    { purpose: 'subject', column: 'subject', type: key, via: [] },
    { purpose: 'row', column: 'row', type: key, via: [] },
  ];
  const alone: Plan = { ...withoutVault(plan), tokenKeyVersion: 1, tables: [{ ...table, columns, hidden }] };
  const options = {
    scope: toKeyScope(alone),
    keys: await deriveKeys(alone, keys, keys),
    transforms,
    showKey: showPlainKey,
    persons: new Map(),
    vaulted: new Set<string>(),
  };
  const masker = new Masker(alone, 0, options);
  const rows: RehearsedRow[] = [];
  for (let row = 0; row < count; row++) {
    const before = values.map((choices, column) => choices[pick(row, column, choices.length)] ?? null);
    const after = mask(masker, [...before, String(row + 1), String(row + 1)], columns.length);
    if (after) rows.push({ before, after });
  }
  return rows;
}

/** The first column walks through its values, the others are strewn. */
function pick(row: number, column: number, length: number): number {
  return column === 0 ? row % length : createHash('sha256').update(`${row} ${column}`).digest().readUInt32BE(0) % length;
}

function mask(masker: Masker, fields: readonly (string | null)[], columns: number): readonly (string | null)[] | undefined {
  const line = `${fields.map((field) => (field === null ? '\\N' : escape(field))).join('\t')}\n`;
  try {
    const { bytes } = masker.mask({ table: 0, range: 0, sequence: 0, bytes: new Uint8Array(Buffer.from(line)) });
    const lines = new Lines();
    lines.scan(bytes, columns);
    return Array.from({ length: columns }, (_, field) => {
      const column = lines.column(field);
      return column.ends[0] === -1 ? null : Buffer.from(column.bytes.subarray(column.starts[0], column.ends[0])).toString('utf8');
    });
  } catch (error) {
    // A made-up value that the transform does not take says nothing about the condition.
    if (error instanceof BautaError && (error.code === 'MASK_VALUE_REFUSED' || error.code === 'MASK_PATH_UNLISTED')) return undefined;
    throw error;
  }
}

function escape(value: string): string {
  return value.replace(/[\b\t\n\v\f\r\\]/g, (one) => `\\${String.fromCharCode(escapes[one.charCodeAt(0)] as number)}`);
}
