// pg_class, pg_attribute, pg_constraint and pg_index as rows: what tables and views are made of.
import { classOids, type Reading, readRows, toUserObject, toUserSchema } from './reading.js';

export interface RelationRow {
  oid: number;
  schema: string;
  name: string;
  kind: 'r' | 'p' | 'v' | 'm';
  persistence: string;
  rows: number;
  bytes: string | null;
  pages: string | null;
  row_security: boolean;
  force_row_security: boolean;
  populated: boolean;
  replica_identity: 'd' | 'n' | 'f' | 'i';
  replica_index: string | null;
  cluster_index: string | null;
  options: string[] | null;
  toast_options: string[] | null;
  access_method: string | null;
  of_type: string | null;
  parents: { schema: string; name: string }[];
  is_partition: boolean;
  bound: string | null;
  key_definition: string | null;
  key_columns: (string | null)[] | null;
  key_mentions: string[] | null;
  definition: string | null;
}

export function readRelations(reading: Reading): Promise<readonly RelationRow[]> {
  return readRows(
    reading.client,
    `SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.relpersistence AS persistence,
       c.reltuples::float8 AS rows,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_table_size(c.oid) END::text AS bytes,
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid) / current_setting('block_size')::int END::text AS pages,
       c.relrowsecurity AS row_security, c.relforcerowsecurity AS force_row_security, c.relispopulated AS populated,
       c.relreplident AS replica_identity,
       (SELECT ic.relname FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
         WHERE i.indrelid = c.oid AND i.indisreplident LIMIT 1) AS replica_index,
       (SELECT ic.relname FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
         WHERE i.indrelid = c.oid AND i.indisclustered LIMIT 1) AS cluster_index,
       c.reloptions::text[] AS options, toast.reloptions::text[] AS toast_options,
       am.amname AS access_method, format_type(nullif(c.reloftype, 0), NULL) AS of_type,
       coalesce((SELECT json_agg(json_build_object('schema', pn.nspname, 'name', p.relname) ORDER BY i.inhseqno)
         FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
         WHERE i.inhrelid = c.oid), '[]') AS parents,
       c.relispartition AS is_partition,
       CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END AS bound,
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS key_definition,
       (SELECT json_agg(a.attname ORDER BY k.place) FROM pg_partitioned_table pt,
         unnest(pt.partattrs::int2[]) WITH ORDINALITY AS k(attnum, place)
         LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum AND k.attnum > 0
         WHERE pt.partrelid = c.oid) AS key_columns,
       (SELECT json_agg(DISTINCT a.attname) FROM pg_depend d JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
         WHERE c.relkind = 'p' AND d.classid = ${classOids.relation} AND d.objid = c.oid AND d.objsubid = 0
           AND d.refclassid = ${classOids.relation} AND d.refobjid = c.oid AND d.refobjsubid > 0) AS key_mentions,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS definition
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_class toast ON toast.oid = c.reltoastrelid AND c.reltoastrelid <> 0
       LEFT JOIN pg_am am ON am.oid = c.relam
     WHERE c.relkind IN ('r', 'p', 'v', 'm') AND ${toUserSchema('n')} AND ${toUserObject('relation', 'c.oid')}
     ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
  );
}

export interface ColumnRow {
  relation: number;
  attnum: number;
  name: string;
  type: number;
  typmod: number;
  display: string;
  not_null: boolean;
  identity: '' | 'a' | 'd';
  generated: '' | 's' | 'v';
  default_oid: number | null;
  expression: string | null;
  inherited: boolean;
  collation_schema: string | null;
  collation_name: string | null;
  deterministic: boolean;
  storage: string | null;
  compression: string | null;
  statistics_target: number | null;
  options: string[] | null;
  labels: { provider: string; label: string }[];
}

export function readColumns(reading: Reading): Promise<readonly ColumnRow[]> {
  return readRows(
    reading.client,
    `SELECT a.attrelid AS relation, a.attnum, a.attname AS name, a.atttypid AS type, a.atttypmod AS typmod,
       format_type(a.atttypid, a.atttypmod) AS display, a.attnotnull AS not_null, a.attidentity AS identity,
       a.attgenerated AS generated, d.oid AS default_oid, pg_get_expr(d.adbin, d.adrelid) AS expression,
       a.attinhcount > 0 AND NOT a.attislocal AS inherited,
       CASE WHEN a.attcollation <> t.typcollation THEN cn.nspname END AS collation_schema,
       CASE WHEN a.attcollation <> t.typcollation THEN co.collname END AS collation_name,
       coalesce(co.collisdeterministic, true) AS deterministic,
       CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage END AS storage,
       nullif(a.attcompression, '') AS compression, nullif(a.attstattarget, -1)::int AS statistics_target,
       a.attoptions::text[] AS options,
       coalesce((SELECT json_agg(json_build_object('provider', s.provider, 'label', s.label) ORDER BY s.provider)
         FROM pg_seclabel s WHERE s.classoid = ${classOids.relation} AND s.objoid = c.oid AND s.objsubid = a.attnum), '[]') AS labels
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_type t ON t.oid = a.atttypid
       LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
       LEFT JOIN pg_collation co ON co.oid = a.attcollation LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND ${toUserSchema('n')} AND c.oid >= 16384
     ORDER BY a.attrelid, a.attnum`,
  );
}

export interface ConstraintRow {
  oid: number;
  relation: number;
  domain: number;
  name: string;
  kind: 'p' | 'u' | 'f' | 'c' | 'x' | 'n';
  columns: number[] | null;
  referenced: number;
  referenced_columns: number[] | null;
  deferrable: boolean;
  validated: boolean;
  definition: string;
  inherited: boolean;
  no_inherit: boolean;
  part_of_schema: string | null;
  part_of_name: string | null;
}

export function readConstraints(reading: Reading): Promise<readonly ConstraintRow[]> {
  return readRows(
    reading.client,
    // A key on a partitioned table that is referenced has further rows, one per partition: they are the server's own and no constraint of anyone.
    `SELECT k.oid, k.conrelid AS relation, k.contypid AS domain, k.conname AS name, k.contype AS kind, k.conkey::int[] AS columns,
       k.confrelid AS referenced, k.confkey::int[] AS referenced_columns, k.condeferrable AS deferrable, k.convalidated AS validated,
       pg_get_constraintdef(k.oid) AS definition, k.conparentid <> 0 OR (NOT k.conislocal AND k.coninhcount > 0) AS inherited,
       k.connoinherit AS no_inherit, pn.nspname AS part_of_schema, pi.relname AS part_of_name
     FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
       LEFT JOIN pg_constraint parent ON parent.oid = k.conparentid
       LEFT JOIN pg_inherits h ON h.inhrelid = k.conindid AND k.contype IN ('p', 'u', 'x')
       LEFT JOIN pg_class pi ON pi.oid = h.inhparent LEFT JOIN pg_namespace pn ON pn.oid = pi.relnamespace
     WHERE k.contype IN ('p', 'u', 'f', 'c', 'x', 'n') AND ${toUserSchema('n')} AND k.oid >= 16384
       AND (k.contype <> 'f' OR parent.oid IS NULL OR (parent.confrelid = k.confrelid AND parent.conrelid <> k.conrelid))
     ORDER BY k.conrelid, k.contypid, k.conname COLLATE "C"`,
  );
}

export interface IndexRow {
  oid: number;
  relation: number;
  schema: string;
  name: string;
  unique: boolean;
  valid: boolean;
  key_count: number;
  columns: number[];
  definition: string;
  predicate: string | null;
  constraint_name: string | null;
  constraint_oid: number | null;
  part_of_schema: string | null;
  part_of_name: string | null;
  mentions: { column: string; attnum: number; times: number }[];
  statistics_targets: { position: number; target: number }[];
}

export function readIndexes(reading: Reading): Promise<readonly IndexRow[]> {
  return readRows(
    reading.client,
    `SELECT i.indexrelid AS oid, i.indrelid AS relation, n.nspname AS schema, c.relname AS name, i.indisunique AS unique,
       (i.indisvalid AND i.indisready) OR c.relkind = 'I' AS valid, i.indnkeyatts::int AS key_count,
       (i.indkey::int2[])::int[] AS columns, pg_get_indexdef(i.indexrelid) AS definition,
       pg_get_expr(i.indpred, i.indrelid) AS predicate, k.conname AS constraint_name, k.oid AS constraint_oid,
       pn.nspname AS part_of_schema, pi.relname AS part_of_name,
       coalesce((SELECT json_agg(json_build_object('column', m.attname, 'attnum', m.attnum, 'times', m.times) ORDER BY m.attnum)
         FROM (SELECT a.attname, a.attnum, count(*) AS times FROM pg_depend d JOIN pg_attribute a
             ON a.attrelid = i.indrelid AND a.attnum = d.refobjsubid
           WHERE d.classid = ${classOids.relation} AND d.objid = i.indexrelid AND d.refclassid = ${classOids.relation}
             AND d.refobjid = i.indrelid AND d.refobjsubid > 0 AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
           GROUP BY a.attname, a.attnum) m), '[]') AS mentions,
       coalesce((SELECT json_agg(json_build_object('position', a.attnum, 'target', a.attstattarget) ORDER BY a.attnum)
         FROM pg_attribute a WHERE a.attrelid = i.indexrelid AND a.attnum > 0 AND a.attstattarget >= 0), '[]') AS statistics_targets
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
       JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
       LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid
       LEFT JOIN pg_class pi ON pi.oid = h.inhparent LEFT JOIN pg_namespace pn ON pn.oid = pi.relnamespace
     WHERE t.relkind IN ('r', 'p', 'm') AND ${toUserSchema('n')} AND c.oid >= 16384
     ORDER BY i.indrelid, c.relname COLLATE "C"`,
  );
}

export interface StatisticsRow {
  schema: string;
  table: string;
  column: string;
  distinct: number;
  nulls: number;
  width: number;
}

/** What the role may see of pg_stats; of a partitioned table the statistics over its partitions. */
export function readStatistics(reading: Reading): Promise<readonly StatisticsRow[]> {
  return readRows(
    reading.client,
    `SELECT schemaname AS schema, tablename AS table, attname AS column, n_distinct::float8 AS distinct, null_frac::float8 AS nulls,
       avg_width AS width
     FROM pg_stats WHERE schemaname !~ '^pg_' AND schemaname <> 'information_schema' ORDER BY inherited DESC`,
  );
}
