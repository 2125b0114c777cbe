// Of a database on which rows are only proved: indexes that prove nothing of them, because they can fail for no row.
import { type Catalogue, type Index, type Table, toLabel } from '../../pipeline/catalogue.js';

/** `pg_type.typname` of types whose values are small whatever they are: no row is too large for an index over them. */
const small = new Set(
  'bool int2 int4 int8 oid float4 float8 money date time timetz timestamp timestamptz interval uuid inet cidr macaddr macaddr8'.split(' '),
);

/** Labels of the objects, as statements bear them. Unique and exclusion, expressions, conditions, other methods than btree: all of these can fail. */
export function findNeedlessIndexes({ tables }: Catalogue): ReadonlySet<string> {
  const labels = tables.flatMap((table) =>
    table.indexes
      .filter((index) => isNeedless(table, index))
      .map(({ name }) => `index ${toLabel(table.schema, name)}`)
      .flatMap((label) => [label, `comment on ${label}`]),
  );
  return new Set(labels);
}

function isNeedless(table: Table, index: Index): boolean {
  const isNamed = table.clusterIndex === index.name || table.replicaIdentity?.index === index.name;
  if (table.kind !== 'r' || index.unique || index.constraint !== null || index.partOf || index.inherited || isNamed) return false;
  // Nothing but keys: no operator class or setting of its own, no condition, nothing that comes along.
  const [, list] = / USING btree \(([^()]*)\)$/u.exec(index.definition) ?? [];
  const keys = list?.split(', ') ?? [];
  return keys.length === index.keys.length && keys.every((key, at) => isSmall(table, index.keys[at] ?? null, key));
}

function isSmall({ columns }: Table, name: string | null, key: string): boolean {
  const type = columns.find((column) => column.name === name)?.type;
  const written = key.replace(/( DESC)?( NULLS (FIRST|LAST))?$/u, '').replaceAll('"', '');
  return type !== undefined && type.element === undefined && (type.kind === 'enum' || small.has(type.base)) && written === name;
}
