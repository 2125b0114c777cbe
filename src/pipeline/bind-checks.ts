// A pipeline's checks meet the catalogue: bound checks, or every reason why one cannot be made. Pure.
import { type Finding, toFinding, type Where } from '../kernel/errors.js';
import { toPointer } from '../kernel/json-pointer.js';
import { findNearest } from '../kernel/nearest.js';
import { parseSqlName, toSqlName } from '../kernel/sql-name.js';
import type { DataType, Table, TableName } from './catalogue.js';
import type { CheckDefinition, CheckPlan, ComparedAs, PrivacyCheck } from './check.js';
import { findComparison, hasEquality, toComparable } from './check-type.js';
import type { Described, PipelineDefinition } from './definition.js';
import { readSqlText } from './sql-text.js';

export interface BoundChecks {
  /** Absent without checks, so that a plan without them stays what it was. */
  readonly checks?: readonly CheckPlan[];
  readonly findings: readonly Finding[];
}

/** What of a table a check has to know. */
type CheckedTable = Pick<Table, 'schema' | 'name' | 'parents'> & {
  readonly columns: readonly { readonly name: string; readonly type: DataType }[];
};

export interface CheckInput {
  readonly pipeline: Described<{ readonly checks?: readonly CheckDefinition[]; readonly target?: PipelineDefinition['target'] }>;
  /** Those in scope. */
  readonly tables: readonly CheckedTable[];
  /** Columns of a table that let something of a person through, by `toSqlName`; absent where no rules are known. */
  readonly telling?: ReadonlyMap<string, readonly string[]>;
}

export function bindChecks({ pipeline, tables, telling }: CheckInput): BoundChecks {
  const { checks = [], target } = pipeline.body;
  if (checks.length === 0) return { findings: [] };
  const binding = new CheckBinding(tables, target?.swapSchemas !== undefined, telling ?? new Map());
  const seen = new Set<string>();
  const bound = checks.flatMap((check, i) => {
    const at = (...path: readonly (string | number)[]): Where => ({
      ...{ stage: 'plan', file: pipeline.origin.file, line: pipeline.origin.line(toPointer('checks', i, ...path)), rule: check.name },
    });
    if (seen.has(check.name))
      binding.findings.push(
        toFinding('PLAN_CHECK_INVALID', { ...at('name'), name: 'its name', expected: 'a name that no other check has' }),
      );
    seen.add(check.name);
    return binding.bind(check, at) ?? [];
  });
  return { checks: bound, findings: binding.findings };
}

type At = (...path: readonly (string | number)[]) => Where;

interface Placed {
  readonly name: string;
  readonly severity: CheckDefinition['severity'];
  readonly table: TableName;
  readonly where?: string;
}

class CheckBinding {
  readonly findings: Finding[] = [];
  readonly #byName: ReadonlyMap<string, CheckedTable>;

  constructor(
    tables: readonly CheckedTable[],
    private readonly swaps: boolean,
    private readonly telling: ReadonlyMap<string, readonly string[]>,
  ) {
    this.#byName = new Map(tables.map((table) => [toSqlName(table.schema, table.name), table]));
  }

  bind(check: CheckDefinition, at: At): CheckPlan | undefined {
    const before = this.findings.length;
    const bound = check.kind === 'sql' ? this.#sql(check, at) : this.#ofTable(check, at);
    return this.findings.length === before ? bound : undefined;
  }

  #sql({ name, severity, sql = '' }: CheckDefinition, at: At): CheckPlan {
    const text = sql.replace(/[\s;]+$/, '');
    this.#checkText(text, at, 'sql');
    if (this.swaps)
      this.#invalid(at('sql'), 'sql', 'no sql with swapSchemas: until publication the schemas of staging have other names than it says');
    return { name, severity, kind: 'sql', sql: text };
  }

  #ofTable(check: CheckDefinition, at: At): CheckPlan | undefined {
    const table = this.#find(check.table ?? '', at('table'));
    if (check.where !== undefined) this.#checkText(check.where, at, 'where');
    const columns = table && this.#columns(table, check.columns ?? this.#tellingOf(check, table), (i) => at('columns', i));
    if (!table || !columns) return undefined;
    const { name, severity, where } = check;
    const placed: Placed = { name, severity, table: { schema: table.schema, name: table.name }, ...(where === undefined ? {} : { where }) };
    return this.#ofKind(check, placed, table, columns, at);
  }

  #ofKind(check: CheckDefinition, placed: Placed, table: CheckedTable, columns: readonly Column[], at: At): CheckPlan | undefined {
    const names = columns.map(({ name }) => name);
    const [first] = columns;
    switch (check.kind) {
      case 'notNull':
        return { ...placed, kind: 'notNull', columns: names };
      case 'unique':
        for (const column of columns)
          if (!hasEquality(column.type)) this.#refuseType(at('columns'), placed, column, 'a type whose values can be told apart by =');
        return { ...placed, kind: 'unique', columns: names };
      case 'nullRate':
        return { ...placed, kind: 'nullRate', columns: names, ...pick(check, 'maxPercent', 'maxChangePoints') };
      case 'rowCount':
        return this.#rowCount(check, placed, table, at);
      case 'acceptedValues':
        return first && this.#acceptedValues(check, placed, first, at);
      case 'range':
        return first && this.#range(check, placed, first, at);
      case 'freshness':
        return first && this.#freshness(check, placed, first, at);
      case 'relation':
        return this.#relation(check, placed, columns, at);
      case 'kAnonymity':
      case 'lDiversity':
      case 'tCloseness':
        return this.#ofGroups({ ...check, kind: check.kind }, placed, table, columns, at);
      case 'sql':
        return this.#sql(check, at);
    }
  }

  /** Of a check of groups that names none: what it measures is then what the plan lets through. */
  #tellingOf({ kind, sensitive }: CheckDefinition, { schema, name }: CheckedTable): readonly string[] {
    if (kind !== 'kAnonymity' && kind !== 'lDiversity' && kind !== 'tCloseness') return [];
    const [own] = sensitive === undefined ? [] : (parseSqlName(sensitive) ?? []);
    return (this.telling.get(toSqlName(schema, name)) ?? []).filter((column) => column !== own).map((column) => toSqlName(column));
  }

  #ofGroups(
    check: CheckDefinition & { readonly kind: PrivacyCheck['kind'] },
    placed: Placed,
    table: CheckedTable,
    columns: readonly Column[],
    at: At,
  ): CheckPlan | undefined {
    if (columns.length === 0)
      return this.#invalid(at(), 'columns', 'a list of columns: no plan says of this table that anything of a person is let through');
    const [sensitive] = check.sensitive === undefined ? [] : (this.#columns(table, [check.sensitive], () => at('sensitive')) ?? []);
    for (const column of [...columns, ...(sensitive ? [sensitive] : [])])
      if (!hasEquality(column.type)) this.#refuseType(at('columns'), placed, column, 'a type whose values can be told apart by =');
    const names = columns.map(({ name }) => name);
    if (sensitive && names.includes(sensitive.name)) return this.#invalid(at('columns'), 'columns', 'columns other than the sensitive one');
    const of = { ...placed, columns: names, ...pick(check, 'maxPercent') };
    if (check.kind === 'kAnonymity') return { ...of, kind: 'kAnonymity', min: Number(check.min) };
    if (!sensitive) return undefined;
    if (check.kind === 'lDiversity') return { ...of, kind: 'lDiversity', sensitive: sensitive.name, min: Number(check.min) };
    const ordered = findComparison(sensitive.type, 'range') !== undefined;
    return { ...of, kind: 'tCloseness', sensitive: sensitive.name, ordered, max: Number(check.max) };
  }

  #rowCount(check: CheckDefinition, placed: Placed, table: CheckedTable, at: At): CheckPlan {
    const { min, max } = check;
    if (min !== undefined && max !== undefined && Number(min) > Number(max)) this.#invalid(at('max'), 'max', 'not less than min');
    const parts = this.#partsOf(table);
    return { ...placed, kind: 'rowCount', ...(pick(check, 'min', 'max', 'maxChangePercent') as { min?: number; max?: number }), parts };
  }

  #acceptedValues(check: CheckDefinition, placed: Placed, column: Column, at: At): CheckPlan | undefined {
    const as = findComparison(column.type, 'value');
    if (!as) return this.#refuseType(at('columns'), placed, column, 'a text, a number, an enumeration, a day, a uuid or a boolean');
    const values = (check.values ?? []).map((written, i) => this.#comparable(written, as, at('values', i), 'values'));
    return { ...placed, kind: 'acceptedValues', columns: [column.name], as, values };
  }

  #range(check: CheckDefinition, placed: Placed, column: Column, at: At): CheckPlan | undefined {
    const as = findComparison(column.type, 'range');
    if (!as) return this.#refuseType(at('columns'), placed, column, 'a number, a date or a timestamp');
    const [min, max] = (['min', 'max'] as const).map((end) => {
      const written = check[end];
      return written === undefined ? undefined : this.#comparable(written, as, at(end), end);
    });
    const isNumber = as === 'numeric' || as === 'float8';
    if (min !== undefined && max !== undefined && (isNumber ? Number(min) > Number(max) : Date.parse(min) > Date.parse(max)))
      this.#invalid(at('max'), 'max', 'not less than min');
    const ends = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
    return { ...placed, kind: 'range', columns: [column.name], as, ...ends };
  }

  #freshness(check: CheckDefinition, placed: Placed, column: Column, at: At): CheckPlan | undefined {
    const as = findComparison(column.type, 'range');
    if (as === undefined || as === 'numeric' || as === 'float8')
      return this.#refuseType(at('columns'), placed, column, 'a date or a timestamp');
    const [, amount, unit] = /^(\d+)([smhd])$/.exec(check.maxAge ?? '') ?? [];
    const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
    return { ...placed, kind: 'freshness', columns: [column.name], maxAgeSeconds: Number(amount) * (seconds[unit ?? ''] ?? 1) };
  }

  #relation(check: CheckDefinition, placed: Placed, columns: readonly Column[], at: At): CheckPlan | undefined {
    const to = check.to ?? { table: '', columns: [] };
    const other = this.#find(to.table, at('to', 'table'));
    const others = other && this.#columns(other, to.columns, (i) => at('to', 'columns', i));
    if (!other || !others) return undefined;
    if (others.length !== columns.length) return this.#invalid(at('to', 'columns'), 'to', 'as many columns as it is made of');
    const as = columns.flatMap((column, i): readonly ComparedAs[] => {
      const compared = findComparison(column.type, 'relation', others[i]?.type);
      if (compared) return [compared];
      this.#refuseType(at('columns'), placed, column, `as ${others[i]?.name ?? ''}, which is ${others[i]?.type.display ?? ''}`);
      return [];
    });
    const target = { table: { schema: other.schema, name: other.name }, columns: others.map(({ name }) => name) };
    return { ...placed, kind: 'relation', columns: columns.map(({ name }) => name), as, to: target };
  }

  #comparable(written: string | number | boolean, as: ComparedAs, where: Where, name: string): string {
    const value = toComparable(written, as);
    if (typeof value === 'string') return value;
    this.#invalid(where, name, value.expected);
    return '';
  }

  #find(written: string, where: Where): CheckedTable | undefined {
    const parts = parseSqlName(written) ?? [];
    const [schema = '', name = ''] = parts.length === 1 ? ['public', ...parts] : parts.length === 2 ? parts : [];
    const text = toSqlName(schema, name);
    const found = this.#byName.get(text);
    if (!found)
      this.findings.push(
        toFinding('PLAN_TABLE_UNKNOWN', {
          ...where,
          name: parts.length === 0 ? 'no name as SQL writes it' : text,
          expected: findNearest(text, this.#byName.keys()) ?? 'a table in scope',
        }),
      );
    return found;
  }

  /** Undefined when one is unknown; all unknown ones are told. */
  #columns(table: CheckedTable, written: readonly string[], at: (i: number) => Where): readonly Column[] | undefined {
    const found = written.map((text, i) => {
      const [name = '', ...more] = parseSqlName(text) ?? [];
      const column = more.length > 0 ? undefined : table.columns.find((one) => one.name === name);
      if (column) return column;
      const expected = findNearest(name, new Set(table.columns.map((one) => one.name))) ?? 'a column of the table';
      const place = { ...at(i), schema: table.schema, table: table.name };
      this.findings.push(
        toFinding('PLAN_CHECK_COLUMN_UNKNOWN', { ...place, name: name === '' ? 'no name as SQL writes it' : name, expected }),
      );
      return undefined;
    });
    return found.every((column) => column !== undefined) ? found : undefined;
  }

  #checkText(text: string, at: At, member: 'where' | 'sql'): void {
    const { words, problem } = readSqlText(text);
    if (problem !== undefined)
      this.#invalid(at(member), member, `one SQL ${member === 'sql' ? 'SELECT' : 'condition'}, without ${problem}`);
    if (member !== 'where' || !this.swaps) return;
    const schemas = new Set([...this.#byName.values()].map(({ schema }) => schema));
    // Its own columns are what they are under any name; whatever it looks up elsewhere would be found in the version that is current.
    if (words.some((one) => one === 'select' || one === 'table' || schemas.has(one)))
      this.#invalid(at('where'), 'where', 'a condition over the columns alone with swapSchemas: until publication staging has other names');
  }

  /** The table, its partitions and its heirs, however deep. */
  #partsOf(table: CheckedTable): readonly TableName[] {
    const isBelow = (one: CheckedTable, seen: readonly string[] = []): boolean =>
      one.parents.some(({ schema, name }) => {
        const parent = toSqlName(schema, name);
        if (parent === toSqlName(table.schema, table.name)) return true;
        const found = seen.includes(parent) ? undefined : this.#byName.get(parent);
        return found !== undefined && isBelow(found, [...seen, parent]);
      });
    const below = [...this.#byName.values()].filter((one) => isBelow(one));
    return [table, ...below].map(({ schema, name }) => ({ schema, name }));
  }

  #refuseType(where: Where, { table }: Placed, { name, type }: Column, expected: string): undefined {
    const at = { ...where, schema: table.schema, table: table.name, column: name, type: type.display, expected };
    this.findings.push(toFinding('PLAN_CHECK_TYPE_REFUSED', at));
  }

  #invalid(where: Where, name: string, expected: string): undefined {
    this.findings.push(toFinding('PLAN_CHECK_INVALID', { ...where, name, expected }));
  }
}

type Column = CheckedTable['columns'][number];

function pick<Name extends keyof CheckDefinition>(check: CheckDefinition, ...names: readonly Name[]): Pick<CheckDefinition, Name> {
  return Object.fromEntries(names.flatMap((name) => (check[name] === undefined ? [] : [[name, check[name]]]))) as Pick<
    CheckDefinition,
    Name
  >;
}
