// From a row to its person: the row itself, or along foreign keys. Found when exactly one shortest way leads there, declared by `subject:` otherwise.
import { parseSqlName, toSqlName } from '../../kernel/sql-name.js';
import type { Constraint, DataType, Table, TableName } from '../catalogue.js';
import type { HiddenColumn } from '../plan.js';

export type PersonRoute =
  /** `fields`: the person's key, in the last table of `via` or in this table. `nullable`: some rows may have no person. */
  | {
      readonly kind: 'route';
      readonly self: boolean;
      readonly via: HiddenColumn['via'];
      readonly fields: readonly PersonField[];
      readonly nullable: boolean;
      /** The table of people, where it is known. */
      readonly person?: string;
    }
  | { readonly kind: 'none' }
  | { readonly kind: 'ambiguous'; readonly choices: readonly string[] }
  | { readonly kind: 'invalid'; readonly at: string };

export interface PersonField {
  readonly column: string;
  readonly type: DataType;
}

type Step = Constraint & { readonly references: NonNullable<Constraint['references']> };

const ROUTE_LIMIT = 1000;

export class Persons {
  private readonly tables: ReadonlyMap<string, Table>;

  /** `marked`: tables that the document marks with `person: true`; their partitions and children are people too. */
  constructor(
    tables: readonly Table[],
    private readonly marked: ReadonlySet<string>,
  ) {
    this.tables = new Map(tables.map((table) => [nameOf(table), table]));
  }

  isPerson(table: TableName): boolean {
    return this.ancestors(table).some((name) => this.marked.has(name));
  }

  /** Columns by which a person is told: the primary key, a child's own or that of the table it comes from. */
  keyOf(table: TableName): readonly string[] | undefined {
    for (const name of this.ancestors(table)) {
      const key = this.tables.get(name)?.constraints.find(({ kind }) => kind === 'p');
      if (key) return key.columns;
    }
    return undefined;
  }

  route(table: Table, declared?: string): PersonRoute {
    if (declared !== undefined) return this.declared(table, declared);
    if (this.isPerson(table)) return this.finish(table, []);
    let frontier: readonly (readonly Step[])[] = [[]];
    const seen = new Set([nameOf(table)]);
    while (frontier.length > 0 && frontier.length < ROUTE_LIMIT) {
      const next = frontier.flatMap((route) => this.stepsOf(this.endOf(table, route)).map((step) => [...route, step]));
      const fresh = next.filter((route) => !seen.has(nameOf(route.at(-1)?.references ?? table)));
      const arrived = fresh.filter((route) => this.isPerson(route.at(-1)?.references ?? table));
      if (arrived.length > 0) return this.choose(table, arrived);
      for (const route of fresh) seen.add(nameOf(route.at(-1)?.references ?? table));
      frontier = fresh;
    }
    return { kind: 'none' };
  }

  /** Of ways of equal length, one that ends at the person's key needs a join less and wins. */
  private choose(table: Table, routes: readonly (readonly Step[])[]): PersonRoute {
    const direct = routes.filter((route) => this.endsAtKey(route));
    const best = direct.length > 0 ? direct : routes;
    const [only] = best;
    if (best.length === 1 && only) return this.finish(table, only);
    return { kind: 'ambiguous', choices: best.map((route) => route.map(toStepText).join('.')).sort() };
  }

  private declared(table: Table, text: string): PersonRoute {
    const route: Step[] = [];
    let at: Table | undefined = table;
    const parts = splitSteps(text);
    for (const part of parts) {
      const wanted = [...part].sort().join('\0');
      const steps: readonly Step[] = at ? this.stepsOf(at).filter(({ columns }) => [...columns].sort().join('\0') === wanted) : [];
      const [step] = steps;
      const isLast = route.length === parts.length - 1;
      if (steps.length === 0 && isLast && at) return this.undeclaredKey(at, part, route) ?? { kind: 'invalid', at: toSqlName(...part) };
      if (steps.length !== 1 || !step) return { kind: 'invalid', at: toSqlName(...part) };
      route.push(step);
      at = this.tables.get(nameOf(step.references));
    }
    if (route.length === 0 || !at || !this.isPerson(at)) return { kind: 'invalid', at: 'the last step' };
    return this.finish(table, route);
  }

  /** Logs and queues often hold a person's key without a foreign key: the columns themselves are the key then, if some person's key has as many. */
  private undeclaredKey(at: Table, names: readonly string[], route: readonly Step[]): PersonRoute | undefined {
    const fields = names.flatMap((name) =>
      at.columns.filter((column) => column.name === name).map(({ name: column, type }) => ({ column, type })),
    );
    const fits = [...this.marked].some((name) =>
      this.tables.get(name)?.constraints.some(({ kind, columns }) => kind === 'p' && columns.length === names.length),
    );
    if (fields.length !== names.length || names.length === 0 || !fits) return undefined;
    return { kind: 'route', self: false, via: route.map(({ columns, references }) => ({ columns, references })), fields, nullable: true };
  }

  private finish(table: Table, route: readonly Step[]): PersonRoute {
    const person = this.endOf(table, route);
    const key = this.keyOf(person);
    if (!key) return { kind: 'none' };
    const last = route.at(-1);
    const joins = last && this.endsAtKey(route) ? route.slice(0, -1) : route;
    const holder = this.endOf(table, joins);
    const columns =
      last && joins.length < route.length ? key.map((name) => last.columns[last.references.columns.indexOf(name)] ?? '') : key;
    const fields = columns.flatMap((name) =>
      holder.columns.filter((column) => column.name === name).map(({ name: column, type }) => ({ column, type })),
    );
    const nullable = route.some((step, i) => {
      const from = this.endOf(table, route.slice(0, i));
      return step.columns.some((name) => !from.columns.some((column) => column.name === name && column.notNull));
    });
    return {
      kind: 'route',
      self: route.length === 0,
      via: joins.map(({ columns: by, references }) => ({ columns: by, references })),
      fields,
      nullable,
      person: this.ancestors(person).find((name) => this.marked.has(name)) ?? nameOf(person),
    };
  }

  private endsAtKey(route: readonly Step[]): boolean {
    const last = route.at(-1);
    const key = last && this.keyOf(last.references);
    return (
      key !== undefined && key.length === last?.references.columns.length && key.every((name) => last.references.columns.includes(name))
    );
  }

  private endOf(table: Table, route: readonly Step[]): Table {
    const last = route.at(-1);
    return (last && this.tables.get(nameOf(last.references))) ?? table;
  }

  /** Foreign keys that stay in scope; two constraints over the same columns are one step. */
  private stepsOf(table: Table): readonly Step[] {
    const steps = table.constraints.filter((constraint): constraint is Step => {
      return constraint.kind === 'f' && constraint.references !== undefined && this.tables.has(nameOf(constraint.references));
    });
    const distinct = new Map(steps.map((step) => [JSON.stringify([step.columns, step.references]), step]));
    return [...distinct.keys()].sort().flatMap((key) => distinct.get(key) ?? []);
  }

  /** The table and all that it comes from, nearest first. */
  private ancestors(table: TableName): readonly string[] {
    const names = [nameOf(table)];
    for (const name of names)
      for (const parent of this.tables.get(name)?.parents ?? []) if (!names.includes(nameOf(parent))) names.push(nameOf(parent));
    return names;
  }
}

function nameOf(table: TableName): string {
  return toSqlName(table.schema, table.name);
}

function toStepText(step: Step): string {
  return step.columns.map((column) => toSqlName(column)).join('+');
}

/** `order_id.customer_id`, `shop_id+customer_id`: steps of columns. */
function splitSteps(text: string): readonly (readonly string[])[] {
  const pieces = text.match(/(?:"(?:[^"]|"")*"|[^."])+/g) ?? [];
  return pieces.map((piece) => (piece.match(/(?:"(?:[^"]|"")*"|[^+"])+/g) ?? []).map((name) => parseSqlName(name.trim())?.[0] ?? ''));
}
