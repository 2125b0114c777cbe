// Conditions of a schema that masked values have to meet: checks, domains, and the types that not every text is of. Which there are for a plan,
// and which of them the source may be asked about: only those that call nothing but what the server or an extension brings along.
import type { Where } from '../kernel/errors.js';
import { parseSqlName } from '../kernel/sql-name.js';
import { isMasked } from './bind-column.js';
import { mentionsColumn } from './bind-unique.js';
import type { Catalogue, Constraint, DataType, DomainObject, Table } from './catalogue.js';
import type { ColumnPlan, Plan, TablePlan } from './plan.js';
import { toLabel } from './schema-object.js';

export interface Condition {
  /** Index into `Plan.tables`. */
  readonly table: number;
  /** What it mentions: masked columns, and kept ones beside them. */
  readonly columns: readonly ColumnPlan[];
  /** Names and types by which its SQL knows the columns; as many as `columns`. */
  readonly known: readonly { readonly name: string; readonly type: string }[];
  /** SQL that holds where it is true or NULL; absent: being of the type is all that is asked. */
  readonly sql?: string;
  /** What the table is called in it. */
  readonly alias: string;
  /** Why nobody may ask or can know, whatever the values are. */
  readonly undecidable?: 'own code' | 'generated' | 'exclusion';
  readonly where: Where;
}

type Domains = ReadonlyMap<string, DomainObject>;

/** Every condition that a masked column of the plan stands in. */
export function findConditions(plan: Plan, catalogue: Catalogue): readonly Condition[] {
  const tables = new Map(catalogue.tables.map((table) => [toLabel(table.schema, table.name), table]));
  const domains: Domains = new Map(
    catalogue.objects.flatMap((object) => (object.kind === 'domain' ? [[toLabel(object.schema, object.name), object] as const] : [])),
  );
  return plan.tables.flatMap((planned, index) => {
    const table = tables.get(toLabel(planned.schema, planned.name));
    if (!table || planned.rows === 'none') return [];
    const at = { schema: planned.schema, table: planned.name };
    return [
      ...table.constraints.flatMap((constraint) =>
        toChecked(planned, table, constraint, domains, catalogue).map((c) => ({ ...c, where: { ...at, ...c.where }, table: index })),
      ),
      ...planned.columns
        .filter(isMasked)
        .flatMap((column) => toTyped(column, domains, catalogue).map((c) => ({ ...c, where: { ...at, ...c.where }, table: index }))),
    ];
  });
}

type Draft = Omit<Condition, 'table'>;

/** A check; an exclusion whose operators other than equality nobody can answer for. What a parent has is asked there. */
function toChecked(planned: TablePlan, table: Table, constraint: Constraint, domains: Domains, catalogue: Catalogue): readonly Draft[] {
  const { kind, name, columns, inherited, validated, definition } = constraint;
  if (inherited || !validated || (kind !== 'c' && kind !== 'x')) return [];
  const index = table.indexes.find((one) => one.constraint === name);
  const mentioned = new Set([...columns, ...(index ? [...index.keys, ...index.mentions].filter((key) => key !== null) : [])]);
  const involved = planned.columns.filter((column) => mentioned.has(column.name));
  const generated = [...mentioned].filter((column) => table.columns.some((one) => one.name === column && one.generated !== ''));
  const sources =
    generated.length > 0 ? planned.columns.filter((column) => generated.some((one) => mentionsColumn(table, one, column.name))) : [];
  const masked = [...involved, ...sources].filter(isMasked);
  if (masked.length === 0) return [];
  const draft: Draft = {
    columns: involved,
    known: involved.map((column) => ({ name: column.name, type: column.type.display })),
    alias: planned.name,
    where: { constraint: name, ...(masked.length === 1 ? { column: masked[0]?.name } : {}) },
  };
  if (kind === 'x') return isEqualityOnly(definition, masked) ? [] : [{ ...draft, columns: masked, known: [], undecidable: 'exclusion' }];
  if (generated.length > 0) return [{ ...draft, columns: masked, known: [], undecidable: 'generated' }];
  const own =
    callsOwnCode(`constraint ${toLabel(planned.schema, planned.name, name)}`, catalogue) ||
    involved.some(({ type }) => toDomains(type, domains).some((domain) => domainCallsOwnCode(domain, catalogue)));
  return [own ? { ...draft, undecidable: 'own code' } : { ...draft, sql: toCheckSql(definition) }];
}

/** The domains of a column's type; enumerations, and values that are the same for all, which need only be of the type. */
function toTyped(column: ColumnPlan, domains: Domains, catalogue: Catalogue): readonly Draft[] {
  const { type, rule, name } = column;
  const draft: Draft = { columns: [column], known: [{ name, type: type.display }], alias: 'value', where: { column: name } };
  const found = toDomains(type, domains);
  const bound = found.filter(({ constraints, notNull }) => notNull || constraints.some(({ kind }) => kind === 'c'));
  const [first] = bound;
  if (first) {
    const where = { ...draft.where, object: `domain ${toLabel(first.schema, first.name)}` };
    if (bound.some((domain) => domainCallsOwnCode(domain, catalogue))) return [{ ...draft, where, undecidable: 'own code' }];
    // Inside an array or a composite only the server can say, by taking the value for one of the type.
    if (type.domain === undefined || type.element || type.attributes) return [{ ...draft, where }];
    return bound.flatMap((domain) => toDomainConditions(draft, domain, found.at(-1)?.type ?? type.display));
  }
  return type.kind === 'enum' || rule.transform === 'fixed' ? [draft] : [];
}

/** `type`: what lies under all of its domains, so that each condition is asked alone. */
function toDomainConditions(draft: Draft, { schema, name, constraints, notNull }: DomainObject, type: string): readonly Draft[] {
  const where = { ...draft.where, object: `domain ${toLabel(schema, name)}` };
  const checks = constraints.filter(({ kind }) => kind === 'c').map(({ definition }) => toCheckSql(definition));
  return [...checks, ...(notNull ? ['value IS NOT NULL'] : [])].map((sql) => ({ ...draft, known: [{ name: 'value', type }], sql, where }));
}

/** The domain of a type and those under it, at any depth. */
function toDomains(type: DataType, domains: Domains): readonly DomainObject[] {
  const own: DomainObject[] = [];
  for (let at = type.domain; at !== undefined;) {
    const domain = domains.get(toLabel(...(parseSqlName(at) ?? [])));
    if (!domain || own.includes(domain)) break;
    own.push(domain);
    at = domain.type;
  }
  return [
    ...own,
    ...[...(type.element ? [type.element] : []), ...(type.attributes ?? []).map((attribute) => attribute.type)].flatMap((inner) =>
      toDomains(inner, domains),
    ),
  ];
}

function domainCallsOwnCode({ schema, name, constraints }: DomainObject, catalogue: Catalogue): boolean {
  return constraints.some((constraint) => callsOwnCode(`domain constraint ${toLabel(schema, name, constraint.name)}`, catalogue));
}

const ownCode = /^(?:function|procedure|aggregate|operator|cast) /;

/** Does it lead, over whatever it needs, to code that the schema's owner wrote? Its table and its type are there without being called. */
function callsOwnCode(label: string, { dependencies = {} }: Catalogue, seen = new Set<string>()): boolean {
  return (dependencies[label] ?? []).some((needed) => {
    if (seen.has(needed) || /^(?:table|extension|schema) /.test(needed)) return false;
    seen.add(needed);
    const below = /^domain /.test(needed)
      ? Object.keys(dependencies).filter((one) => one.startsWith(`domain constraint ${needed.slice(7)}.`))
      : [];
    return ownCode.test(needed) || [needed, ...below].some((one) => callsOwnCode(one, { dependencies } as Catalogue, seen));
  });
}

/** `CHECK ((price >= 0)) NO INHERIT` → `(price >= 0)`. */
function toCheckSql(definition: string): string {
  return definition.replace(/^CHECK \(/, '').replace(/\)(?: NO INHERIT| NOT VALID| NOT ENFORCED)*$/, '');
}

/** In `EXCLUDE USING gist (room WITH =, during WITH &&)`: are all masked columns compared by equality, and none inside an expression? */
function isEqualityOnly(definition: string, masked: readonly ColumnPlan[]): boolean {
  return masked.every(({ name }) => definition.includes(`${toLabel(name)} WITH =,`) || definition.includes(`${toLabel(name)} WITH =)`));
}
