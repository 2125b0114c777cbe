// Sequences stand where those of the source stand, or past the largest value of the column they feed: a masked key may be larger.
import type { SequenceValue } from '../../../pipeline/ports.js';
import { toSequenceStatements } from '../catalogue/catalogue.js';
import { quoteLiteral, quoteName, quoteQualified } from '../quote.js';
import type { Session } from './session.js';

interface Owned {
  readonly sequenceSchema: string;
  readonly sequence: string;
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly ascending: boolean;
}

/** Owned by a column (serial) or part of it (identity). */
const ownedSequences = `
  SELECT sn.nspname AS "sequenceSchema", s.relname AS sequence, n.nspname AS schema, t.relname AS table, a.attname AS column, q.seqincrement > 0 AS ascending
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
  JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
  JOIN pg_catalog.pg_class t ON t.oid = d.refobjid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
    AND ($1::text[] IS NULL OR n.nspname = ANY ($1::text[]))
  ORDER BY 1, 2`;

/** `schemas`: only columns of tables in these. */
export async function setSequences(session: Session, values: readonly SequenceValue[], schemas?: readonly string[]): Promise<void> {
  try {
    const { client } = session;
    for (const { sql } of toSequenceStatements(values)) await client.query(sql);
    for (const owned of (await client.query<Owned>(ownedSequences, [schemas ?? null])).rows) await client.query(toPush(owned));
  } catch (error) {
    throw session.toError(error);
  }
}

function toPush(owned: Owned): string {
  const sequence = quoteQualified({ schema: owned.sequenceSchema, name: owned.sequence });
  const [edge, beyond] = owned.ascending ? ['max', '>='] : ['min', '<='];
  return `SELECT pg_catalog.setval(${quoteLiteral(sequence)}::pg_catalog.regclass, e.edge::bigint, true)
    FROM (SELECT ${edge}(${quoteName(owned.column)})::bigint AS edge FROM ${quoteQualified({ schema: owned.schema, name: owned.table })}) AS e, ${sequence} AS s
    WHERE e.edge ${beyond} s.last_value`;
}
