// What every reader of a part of the catalogue works with: the session, the comments, and who stands at which address of pg_depend.
import type pg from 'pg';

export interface Reading {
  readonly client: pg.Client;
  /** Comments by address and column (`1259/16402/3`; 0 is the object itself). */
  readonly comments: ReadonlyMap<string, string>;
  /** Label of the object that an address (`1259/16402`) belongs to; pieces that are made with their owner have the owner's label. */
  readonly addresses: Map<string, string>;
}

/** Oids of the system catalogues that pg_depend speaks of; they are the same in every database and version. */
export const classOids = {
  type: 1247,
  function: 1255,
  relation: 1259,
  language: 2612,
  default: 2604,
  cast: 2605,
  constraint: 2606,
  conversion: 2607,
  operatorClass: 2616,
  operator: 2617,
  rule: 2618,
  trigger: 2620,
  schema: 2615,
  operatorFamily: 2753,
  accessMethod: 2601,
  extension: 3079,
  policy: 3256,
  statistics: 3381,
  collation: 3456,
  dictionary: 3600,
  parser: 3601,
  configuration: 3602,
  template: 3764,
  foreignServer: 1417,
  foreignWrapper: 2328,
  transform: 3576,
} as const;

export type ClassName = keyof typeof classOids;

export function toAddress(name: ClassName, oid: number): string {
  return `${classOids[name]}/${oid}`;
}

export function findComment(reading: Reading, name: ClassName, oid: number, column = 0): string | null {
  return reading.comments.get(`${classOids[name]}/${oid}/${column}`) ?? null;
}

export async function readRows<Row>(client: pg.Client, text: string, parameters: readonly unknown[] = []): Promise<readonly Row[]> {
  const { rows } = await client.query({ text, values: [...parameters] });
  return rows as Row[];
}

/** Condition on a schema: one that people make. Names that begin with `pg_` are reserved by the server. */
export function toUserSchema(alias: string): string {
  return `${alias}.nspname !~ '^pg_' AND ${alias}.nspname <> 'information_schema'`;
}

/** Condition on an object: made by a person, not by initdb, not by an extension and not by the server beside a type (a range's functions and casts). */
export function toUserObject(name: ClassName, oid: string): string {
  const made = name === 'function' || name === 'cast' ? `('e', 'i')` : `('e')`;
  return `${oid} >= 16384 AND NOT EXISTS (SELECT FROM pg_depend e
    WHERE e.classid = ${classOids[name]} AND e.objid = ${oid} AND e.deptype IN ${made})`;
}

export async function readComments(client: pg.Client): Promise<ReadonlyMap<string, string>> {
  const rows = await readRows<{ address: string; text: string }>(
    client,
    `SELECT classoid || '/' || objoid || '/' || objsubid AS address, description AS text FROM pg_description
     WHERE objoid >= 16384 OR classoid = ${classOids.schema}`,
  );
  return new Map(rows.map(({ address, text }) => [address, text]));
}

/** Rows by a key, in their order. */
export function groupRows<Row, Key>(rows: readonly Row[], toKey: (row: Row) => Key): ReadonlyMap<Key, readonly Row[]> {
  const groups = new Map<Key, Row[]>();
  for (const row of rows) {
    const group = groups.get(toKey(row));
    if (group) group.push(row);
    else groups.set(toKey(row), [row]);
  }
  return groups;
}
