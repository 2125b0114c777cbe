// What holds rows in staging, as its own catalogue says: the plan's tables, what `after` files made, materialized views, generated columns. Not what
// the run keeps for itself in the schema where the marker will stand, alone: nothing else may be there at publication.
import type pg from 'pg';

import { markerSchema } from '../../../pipeline/marker.js';
import type { Relation } from '../../../pipeline/ports.js';

const text = `
  SELECT n.nspname::text AS schema, c.relname::text AS name,
    (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('name', a.attname, 'generated', a.attgenerated <> '', 'array', t.typcategory = 'A',
        'base', CASE WHEN t.typtype = 'd' THEN b.typname WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN e.typname WHEN t.typtype = 'e' THEN 'enum' ELSE t.typname END)
        ORDER BY a.attnum)
      FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'm') AND (c.relkind = 'r' OR c.relispopulated) AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', '${markerSchema}')
    AND ($1::text[] IS NULL OR n.nspname = ANY ($1::text[]))
  ORDER BY 1, 2`;

/** `schemas`: of all that is in the database only those, under the names that they will have. */
export async function readRelations(client: pg.Client, schemas?: ReadonlyMap<string, string>): Promise<readonly Relation[]> {
  const own = new Map([...(schemas ?? [])].map(([name, there]) => [there, name]));
  const { rows } = await client.query<{ schema: string; name: string; columns: Relation['columns'] | null }>(text, [
    schemas ? [...own.keys()] : null,
  ]);
  return rows.map(({ schema, name, columns }) => ({ schema: own.get(schema) ?? schema, name, columns: columns ?? [] }));
}
