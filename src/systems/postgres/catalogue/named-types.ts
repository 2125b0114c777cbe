// Types that people make: enums, domains, composites, ranges; and collations, which types and columns name.
import type { CollationObject, CompositeObject, DomainObject, EnumObject, RangeObject } from '../../../pipeline/catalogue.js';
import { toLabel, toObjectLabel } from '../../../pipeline/catalogue.js';
import { quoteLiteral, quoteQualified } from '../quote.js';
import { classOids, type Reading, findComment, groupRows, readRows, toAddress, toUserObject, toUserSchema } from './reading.js';
import type { ConstraintRow } from './relations.js';

interface Placed {
  oid: number;
  schema: string;
  name: string;
}

type Owned<T> = Omit<T, 'kind' | 'comment'> & Placed;

const collationOf = `CASE WHEN t.typcollation <> b.typcollation THEN cn.nspname END AS collation_schema,
  CASE WHEN t.typcollation <> b.typcollation THEN co.collname END AS collation_name`;

interface Collated {
  collation_schema: string | null;
  collation_name: string | null;
}

function toCollation(row: Collated): string | null {
  return row.collation_schema !== null && row.collation_name !== null
    ? quoteQualified({ schema: row.collation_schema, name: row.collation_name })
    : null;
}

export async function readEnums(reading: Reading): Promise<readonly EnumObject[]> {
  const rows = await readRows<Owned<EnumObject>>(
    reading.client,
    `SELECT t.oid, n.nspname AS schema, t.typname AS name,
       (SELECT coalesce(array_agg(e.enumlabel::text ORDER BY e.enumsortorder), '{}') FROM pg_enum e WHERE e.enumtypid = t.oid) AS labels
     FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
     WHERE t.typtype = 'e' AND ${toUserSchema('n')} AND ${toUserObject('type', 't.oid')}`,
  );
  return rows.map(({ oid, schema, name, labels }) =>
    register(reading, 'type', oid, { kind: 'enum', schema, name, labels, comment: findComment(reading, 'type', oid) }),
  );
}

export async function readDomains(reading: Reading, constraints: readonly ConstraintRow[]): Promise<readonly DomainObject[]> {
  const rows = await readRows<Owned<DomainObject> & Collated & { default: string | null; not_null: boolean }>(
    reading.client,
    `SELECT t.oid, n.nspname AS schema, t.typname AS name, format_type(t.typbasetype, t.typtypmod) AS type, t.typnotnull AS not_null,
       pg_get_expr(t.typdefaultbin, 0) AS default, ${collationOf}
     FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_type b ON b.oid = t.typbasetype
       LEFT JOIN pg_collation co ON co.oid = t.typcollation LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
     WHERE t.typtype = 'd' AND ${toUserSchema('n')} AND ${toUserObject('type', 't.oid')}`,
  );
  const byDomain = groupRows(constraints, (row) => row.domain);
  return rows.map((row) => {
    const own = (byDomain.get(row.oid) ?? []).filter((constraint) => constraint.kind === 'c' || constraint.kind === 'n');
    for (const constraint of own) {
      const piece = `domain constraint ${toLabel(row.schema, row.name, constraint.name)}`;
      reading.addresses.set(
        toAddress('constraint', constraint.oid),
        constraint.kind === 'c' ? piece : `domain ${toLabel(row.schema, row.name)}`,
      );
    }
    return register(reading, 'type', row.oid, {
      kind: 'domain',
      schema: row.schema,
      name: row.name,
      comment: findComment(reading, 'type', row.oid),
      type: row.type,
      collation: toCollation(row),
      defaultExpression: row.default,
      notNull: row.not_null,
      constraints: own.map((constraint) => ({
        name: constraint.name,
        kind: constraint.kind as 'c' | 'n',
        definition: constraint.definition,
        comment: findComment(reading, 'constraint', constraint.oid),
      })),
    });
  });
}

export async function readComposites(reading: Reading): Promise<readonly CompositeObject[]> {
  const rows = await readRows<
    Placed & { relation: number; attributes: ({ attnum: number; name: string; type: string } & Collated)[] | null }
  >(
    reading.client,
    `SELECT t.oid, c.oid AS relation, n.nspname AS schema, t.typname AS name,
       (SELECT json_agg(json_build_object('attnum', a.attnum, 'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
          'collation_schema', CASE WHEN a.attcollation <> b.typcollation THEN cn.nspname END,
          'collation_name', CASE WHEN a.attcollation <> b.typcollation THEN co.collname END) ORDER BY a.attnum)
        FROM pg_attribute a JOIN pg_type b ON b.oid = a.atttypid LEFT JOIN pg_collation co ON co.oid = a.attcollation
          LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS attributes
     FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_class c ON c.oid = t.typrelid
     WHERE c.relkind = 'c' AND ${toUserSchema('n')} AND ${toUserObject('type', 't.oid')}`,
  );
  return rows.map((row) => {
    const object: CompositeObject = {
      kind: 'composite',
      schema: row.schema,
      name: row.name,
      comment: findComment(reading, 'type', row.oid),
      attributes: (row.attributes ?? []).map((attribute) => ({
        name: attribute.name,
        type: attribute.type,
        collation: toCollation(attribute),
        comment: findComment(reading, 'relation', row.relation, attribute.attnum),
      })),
    };
    reading.addresses.set(toAddress('relation', row.relation), toObjectLabel(object));
    return register(reading, 'type', row.oid, object);
  });
}

export async function readRanges(reading: Reading): Promise<readonly RangeObject[]> {
  const rows = await readRows<
    Placed &
      Collated &
      Pick<RangeObject, 'subtype' | 'difference' | 'multirange'> & { class_schema: string | null; class_name: string | null }
  >(
    reading.client,
    `SELECT t.oid, n.nspname AS schema, t.typname AS name, format_type(r.rngsubtype, NULL) AS subtype,
       nullif(r.rngsubdiff::oid, 0)::regproc::text AS difference,
       json_build_object('schema', mn.nspname, 'name', m.typname) AS multirange,
       CASE WHEN NOT oc.opcdefault THEN ocn.nspname END AS class_schema, CASE WHEN NOT oc.opcdefault THEN oc.opcname END AS class_name,
       CASE WHEN r.rngcollation <> b.typcollation THEN cn.nspname END AS collation_schema,
       CASE WHEN r.rngcollation <> b.typcollation THEN co.collname END AS collation_name
     FROM pg_range r JOIN pg_type t ON t.oid = r.rngtypid JOIN pg_namespace n ON n.oid = t.typnamespace
       JOIN pg_type b ON b.oid = r.rngsubtype JOIN pg_type m ON m.oid = r.rngmultitypid JOIN pg_namespace mn ON mn.oid = m.typnamespace
       JOIN pg_opclass oc ON oc.oid = r.rngsubopc JOIN pg_namespace ocn ON ocn.oid = oc.opcnamespace
       LEFT JOIN pg_collation co ON co.oid = r.rngcollation LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
     WHERE ${toUserSchema('n')} AND ${toUserObject('type', 't.oid')}`,
  );
  return rows.map((row) =>
    register(reading, 'type', row.oid, {
      kind: 'range',
      schema: row.schema,
      name: row.name,
      comment: findComment(reading, 'type', row.oid),
      subtype: row.subtype,
      collation: toCollation(row),
      operatorClass:
        row.class_schema !== null && row.class_name !== null ? quoteQualified({ schema: row.class_schema, name: row.class_name }) : null,
      difference: row.difference,
      multirange: row.multirange,
    }),
  );
}

interface CollationRow extends Placed {
  provider: 'c' | 'i' | 'b' | 'd';
  deterministic: boolean;
  collate: string | null;
  ctype: string | null;
  locale: string | null;
  rules: string | null;
}

export async function readCollations(reading: Reading): Promise<readonly CollationObject[]> {
  const rows = await readRows<CollationRow>(
    reading.client,
    // The locale's column has another name in 15 and 16 than from 17 on; rules came with 16.
    `SELECT co.oid, n.nspname AS schema, co.collname AS name, co.collprovider AS provider, co.collisdeterministic AS deterministic,
       co.collcollate AS collate, co.collctype AS ctype,
       coalesce(to_jsonb(co) ->> 'colllocale', to_jsonb(co) ->> 'colliculocale') AS locale, to_jsonb(co) ->> 'collicurules' AS rules
     FROM pg_collation co JOIN pg_namespace n ON n.oid = co.collnamespace
     WHERE ${toUserSchema('n')} AND ${toUserObject('collation', 'co.oid')}`,
  );
  const providers = { c: 'libc', i: 'icu', b: 'builtin', d: 'default' };
  return rows.map((row) => {
    const options: [string, string][] = [['provider', providers[row.provider]]];
    if (!row.deterministic) options.push(['deterministic', 'false']);
    if (row.locale !== null) options.push(['locale', quoteLiteral(row.locale)]);
    if (row.collate !== null && row.locale === null) options.push(['lc_collate', quoteLiteral(row.collate)]);
    if (row.ctype !== null && row.locale === null) options.push(['lc_ctype', quoteLiteral(row.ctype)]);
    if (row.rules !== null) options.push(['rules', quoteLiteral(row.rules)]);
    const comment = findComment(reading, 'collation', row.oid);
    return register(reading, 'collation', row.oid, { kind: 'collation', schema: row.schema, name: row.name, comment, options });
  });
}

/** Rows of types that are made with another: rowtypes with their relation, arrays with their element, multiranges with their range. */
export async function registerDerivedTypes(reading: Reading): Promise<void> {
  const rows = await readRows<{ address: string; owner: string }>(
    reading.client,
    `SELECT ${classOids.type} || '/' || t.oid AS address, ${classOids.relation} || '/' || t.typrelid AS owner
       FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid WHERE c.relkind IN ('r', 'p', 'v', 'm') AND t.oid >= 16384
     UNION ALL SELECT ${classOids.type} || '/' || r.rngmultitypid, ${classOids.type} || '/' || r.rngtypid FROM pg_range r WHERE r.rngtypid >= 16384
     UNION ALL SELECT ${classOids.type} || '/' || t.typarray, ${classOids.type} || '/' || t.oid FROM pg_type t WHERE t.typarray >= 16384
     UNION ALL SELECT d.classid || '/' || d.objid, d.refclassid || '/' || d.refobjid FROM pg_depend d
       WHERE d.classid IN (${classOids.function}, ${classOids.cast}) AND d.refclassid = ${classOids.type} AND d.deptype = 'i' AND d.objid >= 16384`,
  );
  // An array of a rowtype is two steps from its relation, hence the second round.
  for (let round = 0; round < 2; round += 1) {
    for (const { address, owner } of rows) {
      const label = reading.addresses.get(owner);
      if (label !== undefined) reading.addresses.set(address, label);
    }
  }
}

function register<T extends Parameters<typeof toObjectLabel>[0]>(reading: Reading, name: 'type' | 'collation', oid: number, object: T): T {
  reading.addresses.set(toAddress(name, oid), toObjectLabel(object));
  return object;
}
