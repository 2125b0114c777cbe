// What each column is, from all who speak of it: claims, then along foreign keys, partitions and children, then the paths inside. Pure.
import { type Finding, toFinding, type Where } from '../../kernel/errors.js';
import { toSqlName } from '../../kernel/sql-name.js';
import type { Table, TableColumn, TableName } from '../catalogue.js';
import type { Reasoned } from '../definition.js';
import type { ClaimSource } from '../plan.js';
import { type Claim, type ClaimInput, findEntries, TableClaims, type TableEntry } from './claims.js';
import { type Component, toComponents, toEdges, toNeighbours } from './components.js';
import { toResolvedPaths } from './paths.js';
import { type PersonRoute, Persons } from './subject.js';

export interface ResolveInput extends ClaimInput {
  /** The tables in scope. */
  readonly tables: readonly Table[];
  /** True for a table that the pipeline leaves out on purpose: a classification may speak of more than one pipeline copies. */
  readonly isOutOfScope: (table: TableName) => boolean;
}

export interface ResolvedColumn {
  readonly column: TableColumn;
  /** `toSqlName(schema, table, column)`. */
  readonly name: string;
  /** `none`, a tag, or `mixed` when paths decide. */
  readonly tag: string;
  readonly from: ClaimSource;
  /** Kept on purpose, with its reason, whatever the tag. */
  readonly keep?: Reasoned;
  readonly paths?: ReadonlyMap<string, string>;
  readonly rest?: 'refuse' | 'drop' | 'keep';
  /** Why the rest is kept. */
  readonly restReason?: Reasoned;
  /** Index into `Resolution.components`. */
  readonly component?: number;
  readonly where: Where;
}

export interface ResolvedTable {
  readonly table: Table;
  /** By name; generated columns only when somebody spoke of them. */
  readonly columns: ReadonlyMap<string, ResolvedColumn>;
  readonly route: PersonRoute;
  readonly where: Where;
}

export interface Resolution {
  readonly tables: readonly ResolvedTable[];
  readonly components: readonly Component[];
  readonly findings: readonly Finding[];
}

export function resolveTags(input: ResolveInput): Resolution {
  const { entries, findings: unknown } = findEntries(input, input.tables, input.isOutOfScope);
  const findings: Finding[] = [...unknown];
  const columns = new Map<string, { table: Table; column: TableColumn }>();
  const claims = new Map<string, Claim>();
  for (const table of input.tables) {
    const spoken = new TableClaims(input, table, entries.get(toSqlName(table.schema, table.name)), findInherited(table, input.tables));
    for (const column of table.columns) {
      const name = toSqlName(table.schema, table.name, column.name);
      columns.set(name, { table, column });
      const claim = spoken.of(column);
      if (claim) claims.set(name, claim);
    }
    findings.push(...spoken.findings);
  }
  const edges = toEdges(input.tables);
  const components = toComponents(edges);
  findings.push(...findContradictions(components, claims));
  spread(claims, toNeighbours(edges));
  const numbers = new Map(components.flatMap((component, i) => component.columns.map((name) => [name, i] as const)));
  const persons = new Persons(input.tables, findMarked(entries));
  const tables = input.tables.map((table): ResolvedTable => {
    const resolved = new Map<string, ResolvedColumn>();
    for (const column of table.columns) {
      const name = toSqlName(table.schema, table.name, column.name);
      const where = { schema: table.schema, table: table.name, column: column.name };
      const claim = claims.get(name);
      if (!claim) {
        if (column.generated === '') findings.push(toFinding('COLUMN_UNTAGGED', { ...where, ...atTable(input, entries, table) }));
        continue;
      }
      const { findings: problems, ...paths } = toResolvedPaths(column.type, claim, { ...claim.where, ...where });
      findings.push(...problems);
      const component = numbers.get(name);
      const keep = claim.keep ? { keep: claim.keep } : {};
      resolved.set(column.name, {
        ...{ column, name, from: claim.from, where: { ...claim.where, ...where } },
        ...paths,
        ...keep,
        ...(component === undefined ? {} : { component }),
      });
    }
    const where = { schema: table.schema, table: table.name, ...atTable(input, entries, table) };
    const entry = entries.get(toSqlName(table.schema, table.name));
    const route = persons.route(table, entry?.body.subject);
    if (route.kind === 'invalid') findings.push(toFinding('CLASSIFICATION_SUBJECT_INVALID', { ...where, name: route.at }));
    if (entry?.body.person === true && persons.keyOf(table) === undefined)
      findings.push(toFinding('CLASSIFICATION_PERSON_WITHOUT_KEY', where));
    return { table, columns: resolved, route, where };
  });
  return { tables, components, findings };
}

function findInherited(table: Table, tables: readonly Table[]): ReadonlySet<string> {
  const parents = tables.filter(({ schema, name }) => table.parents.some((parent) => parent.schema === schema && parent.name === name));
  return new Set(parents.flatMap(({ columns }) => columns.map(({ name }) => name)));
}

function findMarked(entries: ReadonlyMap<string, TableEntry>): ReadonlySet<string> {
  return new Set([...entries].filter(([, { body }]) => body.person === true).map(([name]) => name));
}

function atTable({ classification: { origin } }: ResolveInput, entries: ReadonlyMap<string, TableEntry>, table: Table): Where {
  const entry = entries.get(toSqlName(table.schema, table.name));
  return { file: origin.file, line: origin.line(entry ? `/tables/${entry.key.replaceAll('~', '~0').replaceAll('/', '~1')}` : '/tables') };
}

/** Columns that are joined and said to be different things: nobody can know which is right. */
function findContradictions(components: readonly Component[], claims: ReadonlyMap<string, Claim>): readonly Finding[] {
  return components.flatMap(({ columns }) => {
    const first = new Map<string, { column: string; claim: Claim }>();
    for (const column of columns) {
      const claim = claims.get(column);
      if (claim) first.set(JSON.stringify(claim.what), first.get(JSON.stringify(claim.what)) ?? { column, claim });
    }
    const [, second] = [...first.values()];
    if (!second) return [];
    const expected = [...first.values()]
      .map(({ column, claim }) => `${column} ${typeof claim.what === 'string' ? claim.what : 'paths'}`)
      .join(', ');
    return [toFinding('CLASSIFICATION_CONTRADICTION', { ...second.claim.where, expected })];
  });
}

/** A claim travels to every joined column of which nobody spoke, breadth first, and says how it came there. */
function spread(claims: Map<string, Claim>, neighbours: ReturnType<typeof toNeighbours>): void {
  const queue = [...claims.keys()].sort();
  for (const column of queue) {
    const claim = claims.get(column);
    if (!claim) continue;
    for (const next of neighbours.get(column) ?? []) {
      if (claims.has(next.column)) continue;
      claims.set(next.column, { ...claim, from: next.by });
      queue.push(next.column);
    }
  }
}
