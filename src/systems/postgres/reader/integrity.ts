// The verifier's own questions to staging: does every reference lead somewhere, is every constraint valid, is every sequence ahead of its column.
import type pg from 'pg';

import { type Finding, toFinding } from '../../../kernel/errors.js';
import { quoteName, quoteQualified } from '../quote.js';

interface Reference {
  name: string;
  validated: boolean;
  schema: string;
  table: string;
  columns: string[];
  refSchema: string;
  refTable: string;
  refColumns: string[];
  /** Qualified equality operators of the key: citext's own lives where its extension was made. */
  operators: string[];
  match: string;
}

const references = `
  SELECT c.conname AS name, c.convalidated AS validated, n.nspname AS schema, t.relname AS table, rn.nspname AS "refSchema", rt.relname AS "refTable", c.confmatchtype AS match,
    ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY k(n, i) JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY k.i) AS columns,
    ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY k(n, i) JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY k.i) AS "refColumns",
    ARRAY(SELECT format('OPERATOR(%I.%s)', on_.nspname, o.oprname) FROM unnest(c.conpfeqop) WITH ORDINALITY k(n, i) JOIN pg_catalog.pg_operator o ON o.oid = k.n
      JOIN pg_catalog.pg_namespace on_ ON on_.oid = o.oprnamespace ORDER BY k.i) AS operators
  FROM pg_catalog.pg_constraint c
  JOIN pg_catalog.pg_class t ON t.oid = c.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_catalog.pg_class rt ON rt.oid = c.confrelid JOIN pg_catalog.pg_namespace rn ON rn.oid = rt.relnamespace
  WHERE c.contype = 'f' AND c.conparentid = 0 AND n.nspname NOT LIKE 'pg\\_%' AND ($1::text[] IS NULL OR n.nspname = ANY ($1::text[])) ORDER BY 3, 4, 1`;

const sequences = `
  SELECT sn.nspname AS "sequenceSchema", s.relname AS sequence, n.nspname AS schema, t.relname AS table, a.attname AS column, q.seqincrement > 0 AS ascending
  FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
  JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
  JOIN pg_catalog.pg_class t ON t.oid = d.refobjid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
  WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    AND ($1::text[] IS NULL OR n.nspname = ANY ($1::text[])) ORDER BY 1, 2`;

const indexes = `
  SELECT n.nspname AS schema, t.relname AS table, i.relname AS name FROM pg_catalog.pg_index x
  JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid JOIN pg_catalog.pg_class t ON t.oid = x.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
  WHERE NOT x.indisvalid AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    AND ($1::text[] IS NULL OR n.nspname = ANY ($1::text[]))`;

/**
 * Every violation in the database of this session, or in `schemas` of it, one finding each, under the names that these will have. NOT VALID
 * constraints of the source are checked all the same.
 */
export async function checkIntegrity(client: pg.Client, schemas?: ReadonlyMap<string, string>): Promise<Finding[]> {
  const findings: Finding[] = [];
  const own = new Map([...(schemas ?? [])].map(([name, there]) => [there, name]));
  const where = [schemas ? [...own.keys()] : null];
  for (const reference of (await client.query<Reference>(references, where)).rows) {
    const { rows } = await client.query<{ broken: string }>(toOrphanCount(reference));
    const broken = Number(rows[0]?.broken);
    const place = {
      stage: 'verify',
      schema: reference.schema,
      table: reference.table,
      constraint: reference.name,
      amount: `${broken} rows`,
    };
    // A constraint that the source has as NOT VALID may have orphans there; that is told, not withheld.
    if (broken > 0) findings.push(toFinding('VERIFY_REFERENCE_BROKEN', place, reference.validated ? 'error' : 'warning'));
  }
  for (const { name, ...place } of (await client.query<{ schema: string; table: string; name: string }>(indexes, where)).rows) {
    findings.push(toFinding('VERIFY_INDEX_INVALID', { stage: 'verify', ...place, constraint: name }));
  }
  findings.push(...(await checkSequences(client, where)));
  return findings.map(({ code, where: place, severity }) =>
    toFinding(code, { ...place, schema: own.get(place.schema ?? '') ?? place.schema }, severity),
  );
}

async function checkSequences(client: pg.Client, where: readonly unknown[]): Promise<Finding[]> {
  interface Owned {
    sequenceSchema: string;
    sequence: string;
    schema: string;
    table: string;
    column: string;
    ascending: boolean;
  }
  const findings: Finding[] = [];
  for (const owned of (await client.query<Owned>(sequences, [...where])).rows) {
    const [edge, order] = owned.ascending ? ['max', '<'] : ['min', '>'];
    const sequence = quoteQualified({ schema: owned.sequenceSchema, name: owned.sequence });
    const text = `SELECT coalesce((SELECT CASE WHEN is_called THEN last_value ${order} ${edge} ELSE last_value ${order}= ${edge} END
      FROM ${sequence}, (SELECT ${edge}(${quoteName(owned.column)})::numeric AS ${edge} FROM ${quoteQualified({ schema: owned.schema, name: owned.table })}) AS e), false) AS behind`;
    const { rows } = await client.query<{ behind: boolean }>(text);
    const { schema, table, column } = owned;
    if (rows[0]?.behind) findings.push(toFinding('VERIFY_SEQUENCE_BEHIND', { stage: 'verify', schema, table, column }));
  }
  return findings;
}

/** Rows whose reference leads nowhere. MATCH SIMPLE: a row with a NULL in its columns refers to nothing; MATCH FULL: all or none. */
function toOrphanCount(reference: Reference): string {
  const child = quoteQualified({ schema: reference.schema, name: reference.table });
  const parent = quoteQualified({ schema: reference.refSchema, name: reference.refTable });
  const columns = reference.columns.map((name) => `c.${quoteName(name)}`);
  const pairs = columns
    .map((name, i) => `p.${quoteName(reference.refColumns[i] ?? '')} ${reference.operators[i] ?? '='} ${name}`)
    .join(' AND ');
  const present = columns.map((name) => `${name} IS NOT NULL`).join(reference.match === 'f' ? ' OR ' : ' AND ');
  return `SELECT count(*) AS broken FROM ${child} AS c WHERE (${present}) AND NOT EXISTS (SELECT FROM ${parent} AS p WHERE ${pairs})`;
}
