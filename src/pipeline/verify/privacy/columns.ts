// The tables of a plan that speak of persons, with the columns that attacks go by.
import type { Catalogue, Constraint, DataType, TableName } from '../../catalogue.js';
import { toTableLabel } from '../../catalogue.js';
import type { ColumnPlan, Plan, TablePlan } from '../../plan.js';
import type { FollowedRows } from '../../privacy.js';
import { isSensitive } from '../../tags.js';
import { isTelling } from '../../telling.js';

export interface PersonTable {
  /** Into `Plan.tables`. */
  readonly index: number;
  readonly table: TablePlan;
  /** Tagged as personal, and still telling something: its quasi-identifiers. */
  readonly personal: readonly ColumnPlan[];
  /** Kept, and called `none`: what nobody says is personal may tell as much. Keys are not among them. */
  readonly other: readonly ColumnPlan[];
  /** Disguised as one value. */
  readonly masked: readonly ColumnPlan[];
  readonly sensitive: readonly ColumnPlan[];
  /** Tables whose rows lead to the persons that are the rows of this one. */
  readonly leading: readonly FollowedRows[];
}

const wide: ReadonlySet<string> = new Set(['json', 'jsonb', 'xml', 'bytea', 'hstore', 'tsvector', 'tsquery']);

/** One value, that can be told apart, and is no document. */
function isPlain({ type, rule }: Pick<ColumnPlan, 'type' | 'rule'>): boolean {
  return rule.paths === undefined && type.element === undefined && type.attributes === undefined && !wide.has(type.base);
}

const isDisguised = ({ tag, rule }: ColumnPlan): boolean =>
  tag !== 'none' && !['keep', 'null', 'fixed', 'redact'].includes(rule.transform) && rule.reversible !== true;

/** `persons`: labels of the tables that speak of persons. */
export function toPersonTables(plan: Plan, catalogue: Catalogue, persons: ReadonlySet<string>): readonly PersonTable[] {
  const subjects = findSubjects(plan);
  return plan.tables.flatMap((table, index) => {
    if (table.kind !== 'r' || table.rows === 'none' || !persons.has(toTableLabel(table))) return [];
    const plain = table.columns.filter(isPlain);
    const personal = plain.filter(isTelling);
    const leading = subjects.has(toTableLabel(table)) ? findLeading(plan, catalogue, table) : [];
    return [
      {
        ...{ index, table, personal, other: plain.filter(isOther), leading },
        masked: plain.filter((column) => isDisguised(column) && !personal.includes(column)),
        sensitive: plain.filter(({ tag, rule }) => isSensitive(tag) && (rule.transform === 'keep' || rule.reveals.includes('value'))),
      },
    ];
  });
}

/** A key says which row this is, and nothing of a person. */
const isOther = ({ tag, rule, unique, component }: ColumnPlan): boolean =>
  tag === 'none' && rule.transform === 'keep' && !unique && component === undefined;

/** Tables each row of which is a person, as far as the plan has to know it. */
function findSubjects(plan: Plan): ReadonlySet<string> {
  const found = plan.tables.flatMap((table) =>
    table.hidden.filter(({ purpose }) => purpose === 'subject').map(({ via }) => toTableLabel(via.at(-1)?.references ?? table)),
  );
  return new Set(found);
}

function findLeading(plan: Plan, catalogue: Catalogue, person: TablePlan): readonly FollowedRows[] {
  const isPerson = (table: TableName | undefined): boolean => table !== undefined && toTableLabel(table) === toTableLabel(person);
  const constraints = new Map(catalogue.tables.map((table) => [toTableLabel(table), table.constraints]));
  return plan.tables.flatMap((table) => {
    if (table.rows === 'none' || isPerson(table)) return [];
    const [direct] = (constraints.get(toTableLabel(table)) ?? []).filter(
      (one) => one.kind === 'f' && !one.inherited && isPerson(one.references),
    );
    const via = direct ? [toStep(direct)] : table.hidden.find(({ via: steps }) => isPerson(steps.at(-1)?.references))?.via;
    if (via === undefined || via.length === 0) return [];
    const columns = table.columns.filter((column) => isPlain(column) && (isTelling(column) || isOther(column)));
    return [{ table: { schema: table.schema, name: table.name }, via, columns: columns.map(({ name }) => name).slice(0, 16) }];
  });
}

const toStep = ({ columns, references }: Constraint): FollowedRows['via'][number] => ({ columns, references: references! });

/** Compared as text by both sides and by us. */
const texts: ReadonlySet<string> = new Set([
  'text',
  'varchar',
  'citext',
  'name',
  'int2',
  'int4',
  'int8',
  'uuid',
  'inet',
  'date',
  'macaddr',
]);
export const isText = ({ base, labels }: DataType): boolean => texts.has(base) || labels !== undefined;
