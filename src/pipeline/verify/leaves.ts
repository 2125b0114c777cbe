// Everything that the plan calls personal, one leaf per column or path, and how each is looked for.
import type { DataType } from '../catalogue.js';
import type { OutputClaim } from '../output-claim.js';
import type { ColumnPlan, Plan, RulePlan, TablePlan } from '../plan.js';
import type { Field } from '../ports.js';

/** Where originals of a tag are looked for: anywhere and inside text, as a whole cell anywhere, or in the columns of the tag only. */
export type Reach = 'inside' | 'cell' | 'own';

export interface Leaf {
  readonly table: TablePlan;
  readonly column: ColumnPlan;
  readonly field: Field;
  readonly rule: RulePlan;
  readonly tag: string;
  readonly type: DataType;
  readonly claim: OutputClaim;
  readonly reach: Reach;
  /** Many values a row. */
  readonly multiple: boolean;
}

/** Tags whose values point to one person whatever stands around them; of an address only the whole cell tells. */
const direct: ReadonlySet<string> = new Set([
  'pii.email', 'pii.phone', 'pii.username', 'pii.national-id', 'pii.document-id', 'pii.iban', 'pii.bank-account', 'pii.mac', 'pii.url', 'pii.uuid',
  'pci.pan', 'phi.mrn', 'phi.insurance-id', 'secret.password', 'secret.token', 'secret.url',
]); // prettier-ignore

const textLeaf: DataType = { display: 'text', kind: 'base', base: 'text', deterministicCollation: true };

export function toLeaves(plan: Plan, claimOf: (rule: RulePlan, type: DataType) => OutputClaim): readonly Leaf[] {
  return plan.tables
    .filter(({ rows, kind }) => rows !== 'none' && kind === 'r')
    .flatMap((table) => table.columns.flatMap((column) => toColumnLeaves(table, column, claimOf)));
}

function toColumnLeaves(table: TablePlan, column: ColumnPlan, claimOf: (rule: RulePlan, type: DataType) => OutputClaim): readonly Leaf[] {
  const { rule, tag, name, type } = column;
  const leaf = (own: RulePlan, ownTag: string, path: string | undefined, leafType: DataType): Leaf => ({
    ...{ table, column, rule: own, tag: ownTag, type: leafType },
    field: { column: name, type, ...(path === undefined ? {} : { path }) },
    claim: claimOf(own, leafType),
    reach: toReach(ownTag, leafType),
    // Elements of an XML document repeat without saying so.
    multiple: path?.includes('[]') === true || (path !== undefined && type.base === 'xml'),
  });
  if (rule.paths) {
    const paths = Object.entries(rule.paths).filter(([, one]) => one.tag !== 'none');
    return paths.map(([path, one]) => leaf(one, one.tag, path, toTypeAt(type, path)));
  }
  if (tag === 'none') return [];
  // One tag on an array speaks of its elements: as a whole, an empty array of the source would be found in any honest copy.
  const whole = type.element === undefined || rule.transform === 'null' || rule.transform === 'keep';
  return [whole || !type.element ? leaf(rule, tag, undefined, type) : leaf(rule, tag, '[]', type.element)];
}

function toReach(tag: string, type: DataType): Reach {
  if (tag === 'pii.ip') return 'cell';
  if (tag === 'pii.key') return isText(type.base) ? 'inside' : 'own';
  return direct.has(tag) ? 'inside' : 'own';
}

function toTypeAt(type: DataType, path: string): DataType {
  if (type.attributes) {
    const [first = '', ...rest] = path.split('.');
    const inner = type.attributes.find(({ name }) => name === first)?.type;
    if (inner) return rest.length > 0 ? toTypeAt(inner, rest.join('.')) : inner;
  }
  return path === '[]' && type.element ? type.element : textLeaf;
}

const numbers: ReadonlySet<string> = new Set(['int2', 'int4', 'int8', 'oid', 'numeric', 'float4', 'float8', 'money']);
const others: ReadonlySet<string> = new Set(['bool', 'date', 'time', 'timetz', 'timestamp', 'timestamptz', 'interval', 'bytea', 'enum']);

export function isNumeric(base: string): boolean {
  return numbers.has(base) || (others.has(base) && base !== 'bytea' && base !== 'enum');
}
export function isNumber(base: string): boolean {
  return numbers.has(base);
}
/** What text could stand in: everything but numbers, dates, bytes and closed lists. */
export function isText(base: string): boolean {
  return !numbers.has(base) && !others.has(base);
}
