// Where the sequences stand, read as late as possible, and the statements that put the copies there.
import type pg from 'pg';

import { type Catalogue, toLabel } from '../../../pipeline/catalogue.js';
import type { SequenceValue } from '../../../pipeline/ports.js';
import { quoteLiteral, quoteQualified } from '../quote.js';
import { toServerError } from '../server-error.js';
import { readRows } from './reading.js';

const perQuery = 200;

/** One row per sequence of the catalogue, in its order. Needs SELECT on them; without it throws PRIVILEGE_MISSING. */
export async function readSequenceValues(
  client: pg.Client,
  catalogue: Catalogue,
  connection = 'source',
): Promise<readonly SequenceValue[]> {
  const sequences = catalogue.objects.filter((object) => object.kind === 'sequence');
  const values: SequenceValue[] = [];
  try {
    for (let from = 0; from < sequences.length; from += perQuery) {
      const part = sequences.slice(from, from + perQuery);
      const text = part
        .map(
          (sequence, index) => `SELECT ${index} AS place, last_value::text AS value, is_called AS called FROM ${quoteQualified(sequence)}`,
        )
        .join(' UNION ALL ');
      const rows = await readRows<{ place: number; value: string; called: boolean }>(client, `${text} ORDER BY place`);
      for (const { place, value, called } of rows) {
        const sequence = part[place];
        if (sequence) values.push({ schema: sequence.schema, name: sequence.name, lastValue: value, isCalled: called });
      }
    }
    return values;
  } catch (error) {
    throw toServerError(error, { connection, stage: 'source' });
  }
}

/** One statement per sequence. A value comes from the server as bigint and is written as one. */
export function toSequenceStatements(values: readonly SequenceValue[]): { readonly sql: string; readonly object: string }[] {
  return values.map((value) => ({
    sql: `SELECT pg_catalog.setval(${quoteLiteral(quoteQualified(value))}::pg_catalog.regclass, ${BigInt(value.lastValue)}::bigint, ${String(value.isCalled)})`,
    object: `sequence ${toLabel(value.schema, value.name)}`,
  }));
}
