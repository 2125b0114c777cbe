// What is in the database and is never carried: what reaches out, and what only a superuser can make.
import { type Refusal } from './routines.js';
import { type ClassName, classOids, type Reading, readRows, toAddress, toUserObject, toUserSchema } from './reading.js';

/** Extensions whose whole purpose is to reach other servers or to act on their own. */
export const outwardExtensions: ReadonlySet<string> = new Set([
  'dblink',
  'postgres_fdw',
  'file_fdw',
  'pg_net',
  'pg_cron',
  'http',
  'aws_s3',
  'pglogical',
]);

export interface Refused extends Refusal {
  /** `outward`: an error with a code of its own when something needs it. */
  readonly why: 'outward' | 'superuser';
  readonly schema: string | null;
  readonly relation: string | null;
}

interface Row {
  class: ClassName;
  oid: number;
  label: string;
  schema: string | null;
  name: string;
  why: 'outward' | 'superuser';
}

/** Objects of kinds that are never made. Registered at their addresses, so that whoever needs one is found. */
export async function readRefused(reading: Reading): Promise<readonly Refused[]> {
  const placed = (kind: string, name: ClassName, table: string, prefix: string, condition = 'true'): string =>
    `SELECT '${name}' AS class, o.oid, '${kind} ' || quote_ident(n.nspname) || '.' || quote_ident(o.${prefix}name) AS label,
       n.nspname AS schema, o.${prefix}name AS name, 'superuser' AS why
     FROM ${table} o JOIN pg_namespace n ON n.oid = o.${prefix}namespace
     WHERE ${condition} AND ${toUserSchema('n')} AND ${toUserObject(name, 'o.oid')}`;
  const plain = (kind: string, name: ClassName, table: string, prefix: string, why: Row['why']): string =>
    `SELECT '${name}', o.oid, '${kind} ' || quote_ident(o.${prefix}name), NULL, o.${prefix}name, '${why}'
     FROM ${table} o WHERE ${toUserObject(name, 'o.oid')}`;
  const parts = [
    placed('operator class', 'operatorClass', 'pg_opclass', 'opc'),
    placed('operator family', 'operatorFamily', 'pg_opfamily', 'opf'),
    placed('conversion', 'conversion', 'pg_conversion', 'con'),
    placed('text search parser', 'parser', 'pg_ts_parser', 'prs'),
    placed('text search template', 'template', 'pg_ts_template', 'tmpl'),
    placed('type', 'type', 'pg_type', 'typ', `o.typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = o.oid)`),
    placed('range type', 'type', 'pg_type', 'typ', `o.oid IN (SELECT rngtypid FROM pg_range WHERE rngcanonical::oid <> 0)`),
    placed('foreign table', 'relation', 'pg_class', 'rel', `o.relkind = 'f'`).replace(`'superuser' AS why`, `'outward' AS why`),
    plain('language', 'language', 'pg_language', 'lan', 'superuser'),
    plain('access method', 'accessMethod', 'pg_am', 'am', 'superuser'),
    plain('foreign server', 'foreignServer', 'pg_foreign_server', 'srv', 'outward'),
    plain('foreign-data wrapper', 'foreignWrapper', 'pg_foreign_data_wrapper', 'fdw', 'outward'),
    `SELECT 'transform', o.oid, 'transform for ' || format_type(o.trftype, NULL), NULL, '', 'superuser' FROM pg_transform o
     WHERE ${toUserObject('transform', 'o.oid')}`,
  ];
  const rows = await readRows<Row>(reading.client, parts.join('\nUNION ALL\n'));
  return rows.map((row) => {
    reading.addresses.set(toAddress(row.class, row.oid), row.label);
    const relation = row.class === 'relation' ? row.name : null;
    const name = row.why === 'outward' ? 'it leads to another server' : 'only a superuser can make it';
    return { label: row.label, name, why: row.why, severity: 'error', schema: row.schema, relation };
  });
}

/** What is left behind with a word, because nothing in the schema can depend on it. */
export async function readLeftBehind(reading: Reading): Promise<readonly Refusal[]> {
  const rows = await readRows<{ label: string; name: string }>(
    reading.client,
    `SELECT 'publication ' || quote_ident(pubname) AS label, 'it leads to other servers' AS name FROM pg_publication
     UNION ALL SELECT 'subscription ' || quote_ident(subname), 'it leads to another server' FROM pg_subscription s
       WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
     UNION ALL SELECT 'event trigger ' || quote_ident(evtname), 'only a superuser can make it' FROM pg_event_trigger o
       WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 3466 AND e.objid = o.oid AND e.deptype = 'e')
     UNION ALL SELECT 'user mapping on ' || quote_ident(srvname), 'it leads to another server' FROM pg_user_mappings
     UNION ALL SELECT 'large objects', 'a database has ' || count(*) || ' of them, and their text is not read' FROM pg_largeobject_metadata
       HAVING count(*) > 0
     UNION ALL SELECT 'extension ' || quote_ident(extname), 'rows of its own tables are not read' FROM pg_extension WHERE extconfig IS NOT NULL`,
  );
  return rows.map((row) => ({ ...row, severity: 'warning' }));
}

/** Names of functions that reach out, as words that may stand in a function's body, which pg_depend does not look into. */
export async function readOutwardFunctions(reading: Reading): Promise<ReadonlyMap<string, string>> {
  const rows = await readRows<{ name: string; extension: string }>(
    reading.client,
    `SELECT DISTINCT p.proname AS name, x.extname AS extension FROM pg_extension x
       JOIN pg_depend d ON d.refclassid = ${classOids.extension} AND d.refobjid = x.oid AND d.deptype = 'e' AND d.classid = ${classOids.function}
       JOIN pg_proc p ON p.oid = d.objid WHERE x.extname = ANY ($1)`,
    [[...outwardExtensions]],
  );
  return new Map(rows.map((row) => [row.name, row.extension]));
}
