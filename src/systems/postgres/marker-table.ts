// The table bauta.dataset as a stranger finds it. Its form is looked at before a row of it is read: a view of that name could be anybody's code.
import type pg from 'pg';

import type { Json } from '../../kernel/canonical-json.js';
import { type MarkerSeen, markerSchema } from '../../pipeline/marker.js';
import { quoteLiteral, quoteName } from './quote.js';

export const markerTable = { schema: markerSchema, name: 'dataset' } as const;

/** Names and types, in order: the form by which a table is known as the marker's. */
export const markerColumns = [
  ['version', 'integer'],
  ['plan_digest', 'text'],
  ['log_origin', 'text'],
  ['log_index', 'bigint'],
  ['made_at', 'timestamp with time zone'],
  ['expires_at', 'timestamp with time zone'],
  ['claim', 'text'],
  ['manifest', 'jsonb'],
  ['note', 'text'],
] as const;

interface Form {
  readonly objects: number;
  readonly plain: boolean;
  readonly columns: string;
  readonly readable: boolean;
}

/** Everything that depends on the schema (all that is in it) is counted: the marker's has one table and nothing else. */
const toForm = (schema: string): string => `
  SELECT (SELECT count(*)::int FROM pg_depend d WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid) AS objects,
    coalesce(c.relkind = 'r' AND c.relpersistence = 'p' AND NOT c.relrowsecurity AND NOT c.relhassubclass, false) AS plain,
    (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
       FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), false) AS readable
  FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = ${quoteLiteral(markerTable.name)}
  WHERE n.nspname = ${quoteLiteral(schema)}`;

const instant = (column: string): string => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const toRow = (schema: string): string => `
  SELECT version, plan_digest AS "planDigest", log_origin AS "logOrigin", log_index::float8 AS "logIndex", ${instant('made_at')} AS "madeAt",
    ${instant('expires_at')} AS "expiresAt", claim, manifest, note
  FROM ONLY ${quoteName(schema)}.${quoteName(markerTable.name)}`;

interface Row {
  version: number;
  planDigest: string;
  logOrigin: string;
  logIndex: number;
  madeAt: string;
  expiresAt: string;
  claim: string;
  manifest: Json;
  note: string;
}

/** `schema`: where the marker of a version stands that is not current. Throws what the server says. Needs the session settings of `connect`. */
export async function readMarker(client: pg.Client, schema: string = markerTable.schema): Promise<MarkerSeen> {
  const [found] = (await client.query<Form>(toForm(schema))).rows;
  if (!found) return { row: null, schema: 'absent' };
  const wanted = markerColumns.map((column) => column.join(' ')).join(', ');
  if (found.objects !== 1 || !found.plain || found.columns !== wanted || !found.readable) return { row: null, schema: 'other' };
  const { rows } = await client.query<Row>(toRow(schema));
  const [first] = rows;
  return rows.length === 1 && first && Object.values(first).every((value) => value !== null)
    ? { row: first }
    : { row: null, schema: 'other' };
}
