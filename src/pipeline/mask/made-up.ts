// Made-up values of a type: what a rehearsal masks where no original may be looked at. They come from nowhere but this file, the type itself
// and the literals of the condition that is rehearsed.
import type { DataType } from '../catalogue.js';
import type { RulePlan } from '../plan.js';
import { parsePath, type Segment } from './structure/structure.js';

/** Many kinds of text, so that whatever a transform expects of its input is among them. All of reserved ranges. */
const texts = [
  'anna@example.org', 'b.c+d@mail.example.com', 'Anna', 'Ibn Sina', 'O’Neill-Smith', 'Zoë Żółć', '李小龍', 'A', 'ab', 'ABC', 'abcd', 'a b c',
  '+1 202-555-0143', '+49 30 23125 000', '2025550143', '(212) 555-0187', '078-05-1120', '219-09-9999', '000-12-3456', '4111111111111111',
  '5555 5555 5555 4444', 'DE89370400440532013000', 'GB82 WEST 1234 5698 7654 32', 'NL91ABNA0417164300', '192.0.2.17', '2001:db8::17',
  '00:00:5e:00:53:01', 'https://example.org/a/b?c=1#d', '6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b', '1987-06-05', '2001-02-03 04:05:06', '12', '7',
  '12345', '1234 AB', 'SW1A 1AA', 'K1A 0B1', '90210-1234', '1010', 'Main Street 12', '12b', 'Paris', 'DE', 'de', 'USA', 'AB-12345', 'AB123456',
  'a1b2c3', 'X', 'yes', 'M', 'F', 'new', 'ACTIVE', 'Lorem ipsum dolor sit amet, consectetur.', 'two\nlines', '3.14', '-5', '0', '100', 'user_17',
  'u17', '$2b$12$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234', 'd41d8cd98f00b204e9800998ecf8427e', '#ff8800', 'en-GB', 'A1B2C3D4E5F6G7H8',
]; // prettier-ignore

const whole = [
  0, 1, 2, 7, 12, 17, 42, 99, 100, 365, 999, 1234, 4711, 12345, 32767, 65536, 123456, 1234567, 20250143, 2025550143, 4111111111111111, -1,
  -12, -1234, -123456,
];
const decimals = [
  0, 0.5, 1, 1.5, 2, 9.99, 10, 17.25, 42, 99.9, 100, 120, 365, 999.99, 1234.5, 12345.67, 123456.78, 1234567.89, -0.5, -1, -12.5, -1234.5,
];
const dates = [
  '1931-12-31',
  '1950-02-03',
  '1968-02-29',
  '1979-07-14',
  '1987-06-05',
  '1999-12-31',
  '2000-01-01',
  '2004-02-29',
  '2012-08-09',
  '2019-10-11',
  '2024-02-29',
  '2025-05-06',
];
const times = ['00:00:00', '04:05:06', '12:30:00', '23:59:59.5'];

const byBase: Readonly<Record<string, readonly string[]>> = {
  int2: fitting(whole, 32767),
  int4: fitting(whole, 2147483647),
  oid: fitting(whole, 2147483647).filter((text) => !text.startsWith('-')),
  int8: fitting(whole, Number.MAX_SAFE_INTEGER),
  float4: ['0', '1', '1.5', '-2.25', '1e+20', '99.9', '1234.5'],
  float8: ['0', '1', '1.5', '-2.25', '1e+20', '99.9', '1234.5', '123456.78'],
  money: ['$0.00', '$1.50', '$99.99', '$1,234.50', '-$12.50'],
  date: dates,
  timestamp: dates.flatMap((date, i) => [`${date} ${times[i % times.length]}`]),
  timestamptz: dates.flatMap((date, i) => [`${date} ${times[i % times.length]}+00`]),
  time: times,
  timetz: times.map((time) => `${time}+00`),
  interval: ['00:00:00', '1 day', '1 mon 2 days', '04:05:06', '1 year', '-1 days'],
  uuid: ['6f1c2a34-5b6d-4e7f-8a9b-0c1d2e3f4a5b', '00000000-0000-4000-8000-000000000017', 'ffffffff-ffff-4fff-bfff-ffffffffffff'],
  inet: ['192.0.2.17', '10.1.2.3/8', '2001:db8::17', '127.0.0.1'],
  cidr: ['192.0.2.0/24', '10.0.0.0/8', '2001:db8::/32'],
  macaddr: ['00:00:5e:00:53:01', '08:00:2b:01:02:03'],
  macaddr8: ['00:00:5e:00:53:01:02:03'],
  bytea: ['\\x', '\\x00ff', '\\x6261757461'],
  bool: ['t', 'f'],
  xml: ['<a/>', '<a b="c">d</a>'],
  json: ['{}', '[]', '"a"', '1', 'null'],
  jsonb: ['{}', '[]', '"a"', '1', 'null'],
  hstore: ['', '"a"=>"b"'],
  int4range: ['empty', '[1,5)', '[3,8)'],
  int8range: ['empty', '[1,5)', '[3,8)'],
  numrange: ['empty', '[1.5,5)', '[3,8)'],
  daterange: ['[2001-01-01,2001-02-01)', '[2001-01-15,2001-03-01)'],
  tsrange: ['["2001-01-01 00:00:00","2001-02-01 00:00:00")'],
  tstzrange: ['["2001-01-01 00:00:00+00","2001-02-01 00:00:00+00")'],
}; // prettier-ignore

const textBases = new Set(['text', 'varchar', 'bpchar', 'citext', 'name']);

/** Made-up values as the server prints them; empty where this file knows none. `literals`: of the condition, for text. */
export function makeUpValues(type: DataType, literals: readonly string[] = []): readonly string[] {
  if (type.element) {
    const inner = makeUpValues(type.element, literals).slice(0, 12);
    return inner.length === 0 ? [] : ['{}', ...inner.map((value, i) => `{${[value, inner[(i + 1) % inner.length]].map(quote).join(',')}}`)];
  }
  if (type.attributes) {
    const parts = type.attributes.map((attribute) => makeUpValues(attribute.type, literals));
    return Array.from({ length: 12 }, (_, i) => `(${parts.map((values) => quote(values[i % (values.length || 1)] ?? '')).join(',')})`);
  }
  if (type.labels) return type.labels;
  if (textBases.has(type.base)) return toTexts(type, literals);
  if (type.base === 'numeric') return toNumerics(type);
  return byBase[type.base] ?? [];
}

function toTexts({ base, length }: DataType, literals: readonly string[]): readonly string[] {
  const limit = length ?? (base === 'name' ? 63 : 10_000);
  const fit = [...literals, ...texts].map((text) => [...text].slice(0, limit).join('').trimEnd());
  return [...new Set(fit)].map((text) => (base === 'bpchar' && length !== undefined ? text.padEnd(length) : text));
}

function toNumerics({ precision, scale = 0 }: DataType): readonly string[] {
  if (precision === undefined) return decimals.map(String);
  const limit = 10 ** (precision - scale);
  return decimals.filter((value) => Math.abs(value) < limit).map((value) => value.toFixed(Math.max(0, Math.min(scale, 20))));
}

function fitting(values: readonly number[], limit: number): readonly string[] {
  return values.filter((value) => Math.abs(value) <= limit).map(String);
}

function quote(value: string | undefined): string {
  return `"${(value ?? '').replace(/["\\]/g, '\\$&')}"`;
}

/** Values with something at every path that the rule lists, as text and as number, and empty ones. */
export function makeUpDocuments({ base }: DataType, paths: NonNullable<RulePlan['paths']>): readonly string[] {
  const all = Object.keys(paths).flatMap((path) => [parsePath(path) ?? []]);
  if (base === 'hstore') return ['', all.map(([name]) => `${quote(name ?? '')}=>"a"`).join(', ')];
  const documents = ['text', 1].map((leaf) =>
    JSON.stringify(all.reduce<unknown>((document, path) => put(document, path, leaf), undefined)),
  );
  return base === 'json' || base === 'jsonb' ? [...documents, all.some(([first]) => first === null) ? '[]' : '{}'] : [];
}

/** `document` with `leaf` at the path; what stands in the way of it stays. */
function put(document: unknown, [first, ...others]: readonly Segment[], leaf: unknown): unknown {
  if (first === undefined) return document ?? leaf;
  if (first === null)
    return Array.isArray(document) || document === undefined ? [put((document as unknown[] | undefined)?.[0], others, leaf)] : document;
  if (document !== undefined && (typeof document !== 'object' || Array.isArray(document))) return document;
  const object = (document ?? {}) as Record<string, unknown>;
  return { ...object, [first]: put(object[first], others, leaf) };
}
