// By what a check compares the values of a column, and how a value that people wrote is written for that.
import type { DataType } from './catalogue.js';
import type { ComparedAs } from './check.js';

const numbers: Readonly<Record<string, ComparedAs>> = {
  ...{ int2: 'numeric', int4: 'numeric', int8: 'numeric', numeric: 'numeric', oid: 'numeric' },
  ...{ float4: 'float8', float8: 'float8' },
};
const texts: Readonly<Record<string, ComparedAs>> = { text: 'text', varchar: 'text', bpchar: 'text', name: 'text', citext: 'fold' };
const times: Readonly<Record<string, ComparedAs>> = { date: 'date', timestamp: 'timestamp', timestamptz: 'timestamptz' };
/** Compared by their one text. */
const printed: Readonly<Record<string, ComparedAs>> = { uuid: 'text', bool: 'text', date: 'text' };
/** What only a column of the same type is compared with. */
const alike = new Set([
  'uuid',
  'bool',
  'date',
  'timestamp',
  'timestamptz',
  'time',
  'timetz',
  'interval',
  'bytea',
  'inet',
  'cidr',
  'macaddr',
  'macaddr8',
]);
const withoutEquality = new Set(['json', 'xml', 'point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle', 'aclitem']);

/** Undefined: a check for that purpose cannot be made of the type. `other`: of the column that a relation leads to. */
export function findComparison(type: DataType, purpose: 'value' | 'range' | 'relation', other?: DataType): ComparedAs | undefined {
  const base = toBase(type);
  if (base === undefined) return undefined;
  if (purpose === 'range') return numbers[base] ?? times[base];
  if (purpose === 'value') return type.labels ? 'text' : (numbers[base] ?? texts[base] ?? printed[base]);
  return findPair(type, base, other);
}

function findPair(type: DataType, base: string, other: DataType | undefined): ComparedAs | undefined {
  const second = other && toBase(other);
  if (other === undefined || second === undefined) return undefined;
  if (type.labels || other.labels) return type.labels && other.labels && base === second ? 'text' : undefined;
  if (numbers[base] && numbers[second]) return numbers[base] === numbers[second] ? 'same' : 'float8';
  if (texts[base] && texts[second]) return texts[base] === 'fold' || texts[second] === 'fold' ? 'fold' : 'text';
  return base === second && alike.has(base) ? 'same' : undefined;
}

/** Whether values of the type can be told apart by =. */
export function hasEquality(type: DataType): boolean {
  const inner = [...(type.element ? [type.element] : []), ...(type.attributes ?? []).map((attribute) => attribute.type)];
  return !withoutEquality.has(type.base) && inner.every(hasEquality);
}

/** Of a scalar; a domain is what lies under it. */
function toBase(type: DataType): string | undefined {
  return type.element || type.attributes || type.kind === 'array' || type.kind === 'range' || type.kind === 'multirange'
    ? undefined
    : type.base;
}

const number = /^-?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})([eE][+-]?\d{1,3})?$/;
const day = /^\d{4}-\d\d-\d\d$/;
const instant = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?$/;

/** The text by which the server has the value, or what it should have been. */
export function toComparable(written: string | number | boolean, as: ComparedAs): string | { readonly expected: string } {
  const text = String(written);
  if (as === 'text' || as === 'fold') return text.includes('\0') ? { expected: 'a text without NUL' } : text;
  if (as === 'numeric' || as === 'float8') return typeof written !== 'boolean' && number.test(text) ? text : { expected: 'a number' };
  const isDay = day.test(text) && isCalendarDay(text);
  if (as === 'date') return isDay ? text : { expected: 'a day as YYYY-MM-DD' };
  const isInstant = instant.test(text) && isCalendarDay(text.slice(0, 10)) && !Number.isNaN(Date.parse(text));
  if (!isDay && !isInstant) return { expected: 'a day as YYYY-MM-DD, or an instant as RFC 3339' };
  // A timestamp without time zone takes no notice of an offset: here it is a time of UTC.
  return as === 'timestamp' && /[T ].*[+-]\d\d:?\d\d$/.test(text) ? new Date(text).toISOString() : text;
}

function isCalendarDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}
