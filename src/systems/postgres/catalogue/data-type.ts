// pg_type as DataType values: domains followed, arrays opened, composites and enums spelled out.
import type { DataType, TypeKind } from '../../../pipeline/catalogue.js';
import { type Reading, groupRows, readRows } from './reading.js';

interface TypeRow {
  oid: number;
  name: string;
  kind: 'b' | 'e' | 'd' | 'c' | 'r' | 'm' | 'p';
  element: number | null;
  base: number;
  base_typmod: number;
  base_display: string | null;
  label: string;
  relation: number;
  labels: string[] | null;
  deterministic: boolean;
}

interface AttributeRow {
  relation: number;
  name: string;
  type: number;
  typmod: number;
  display: string;
  deterministic: boolean;
}

/** Makes a DataType from what pg_attribute says of a column. */
export type ToDataType = (oid: number, typmod: number, display: string, deterministic: boolean) => DataType;

const kinds: Readonly<Record<TypeRow['kind'], TypeKind>> = {
  b: 'base',
  e: 'enum',
  d: 'domain',
  c: 'composite',
  r: 'range',
  m: 'multirange',
  p: 'base',
};

export async function readDataTypes(reading: Reading): Promise<ToDataType> {
  const types = await readRows<TypeRow>(
    reading.client,
    // The same test that format_type makes: int2vector and its like have an element and are no arrays.
    `SELECT t.oid, t.typname AS name, t.typtype AS kind,
       CASE WHEN t.typsubscript = 'array_subscript_handler'::regproc AND t.typstorage <> 'p' THEN nullif(t.typelem, 0) END AS element,
       t.typbasetype AS base, t.typtypmod AS base_typmod, format_type(nullif(t.typbasetype, 0), t.typtypmod) AS base_display,
       format_type(t.oid, NULL) AS label, t.typrelid AS relation,
       (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) AS labels,
       coalesce((SELECT co.collisdeterministic FROM pg_collation co WHERE co.oid = t.typcollation), true) AS deterministic
     FROM pg_type t`,
  );
  const attributes = await readRows<AttributeRow>(
    reading.client,
    `SELECT a.attrelid AS relation, a.attname AS name, a.atttypid AS type, a.atttypmod AS typmod,
       format_type(a.atttypid, a.atttypmod) AS display, coalesce(co.collisdeterministic, true) AS deterministic
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_collation co ON co.oid = a.attcollation
     WHERE a.attnum > 0 AND NOT a.attisdropped AND (c.relkind = 'c'
       OR c.reltype IN (SELECT b.atttypid FROM pg_attribute b)
       OR c.reltype IN (SELECT e.typelem FROM pg_type e JOIN pg_attribute b ON b.atttypid = e.oid)
       OR c.reltype IN (SELECT d.typbasetype FROM pg_type d))
     ORDER BY a.attrelid, a.attnum`,
  );
  const byOid = new Map(types.map((type) => [type.oid, type]));
  const byRelation = groupRows(attributes, (attribute) => attribute.relation);

  const toDataType: ToDataType = (oid, typmod, display, deterministic) => {
    const type = byOid.get(oid);
    if (!type) return { display, kind: 'base', base: display, deterministicCollation: deterministic };
    if (type.kind === 'd') {
      const under = toDataType(type.base, type.base_typmod, type.base_display ?? '', deterministic && type.deterministic);
      return { ...under, display, kind: 'domain', domain: type.label };
    }
    if (type.element !== null) {
      // format_type writes the element's own text and `[]`.
      const element = toDataType(type.element, typmod, display.replace(/\[\]$/, ''), deterministic);
      return { display, kind: 'array', base: element.base, element, deterministicCollation: element.deterministicCollation };
    }
    const parts = type.kind === 'c' ? (byRelation.get(type.relation) ?? []) : [];
    const inner = parts.map((part) => ({
      name: part.name,
      type: toDataType(part.type, part.typmod, part.display, part.deterministic),
    }));
    return {
      display,
      kind: kinds[type.kind],
      base: type.name,
      ...toModifiers(type.name, typmod),
      ...(type.kind === 'c' && { attributes: inner }),
      ...(type.labels && { labels: type.labels }),
      deterministicCollation: deterministic && inner.every((part) => part.type.deterministicCollation),
    };
  };
  return toDataType;
}

/** atttypmod of the built-in types that have one with a meaning for masking: n + 4, n for bits, (p << 16 | s) + 4. */
function toModifiers(name: string, typmod: number): Pick<DataType, 'length' | 'precision' | 'scale'> {
  if (typmod < 0) return {};
  if (name === 'bpchar' || name === 'varchar') return { length: typmod - 4 };
  if (name === 'bit' || name === 'varbit') return { length: typmod };
  if (name !== 'numeric') return {};
  // The scale is a signed number of 11 bits since version 15.
  const scale = (typmod - 4) & 0x7ff;
  return { precision: ((typmod - 4) >> 16) & 0xffff, scale: scale >= 1024 ? scale - 2048 : scale };
}
