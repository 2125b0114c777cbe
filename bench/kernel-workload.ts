// Made-up lines with the columns, lengths and NULLs of the reference workload (bench/reference.sql of the project's shared data), and the
// rules of rulebook `default` for its 14 masked columns. A transform that is not in the build is replaced by `fixed` and named in the result.
import type { DataType } from '../src/pipeline/catalogue.js';
import type { Plan, RulePlan } from '../src/pipeline/plan.js';

export interface WorkTable {
  readonly name: string;
  readonly plan: Plan;
  readonly lines: Uint8Array;
  readonly rows: number;
  /** Rows of the table in the workload, in millions. */
  readonly weight: number;
  readonly missing: readonly string[];
}

/** Name, type and `transform:scope` of each column; nothing: kept. */
type Sketch = readonly [name: string, base: string, rule?: string];

const customers: readonly Sketch[] = [
  ['id', 'int8'], ['first_name', 'text', 'first-name:subject'], ['last_name', 'text', 'last-name:subject'], ['email', 'text', 'email:value'],
  ['phone', 'text', 'phone:value'], ['ssn', 'bpchar', 'national-id:value'], ['dob', 'date', 'date-of-birth:subject'],
  ['street', 'text', 'street:subject'], ['city', 'text'], ['postcode', 'text'], ['card_number', 'text', 'pan:value'],
  ['iban', 'text', 'iban:value'], ['ip', 'inet', 'ip:value'], ['notes', 'text', 'replace:row'], ['profile', 'jsonb', 'paths'],
  ['created_at', 'timestamptz'],
]; // prettier-ignore
const orders: readonly Sketch[] = [
  ['id', 'int8'], ['customer_id', 'int8'], ['customer_email', 'text', 'email:value'], ['amount', 'numeric'], ['status', 'text'],
  ['ship_to', 'text', 'street:subject'], ['ordered_at', 'timestamptz'],
]; // prettier-ignore

export function createWorkload(known: ReadonlySet<string>): WorkTable[] {
  return [
    toTable('customers', customers, 'id', toCustomer, 900, 1, known),
    toTable('orders', orders, 'customer_id', toOrder, 2600, 3, known),
  ];
}

function toTable(
  name: string,
  sketches: readonly Sketch[],
  subject: string,
  toLine: (i: number) => string,
  rows: number,
  weight: number,
  known: ReadonlySet<string>,
): WorkTable {
  const missing: string[] = [];
  const toRule = (rule = 'keep'): RulePlan => {
    const [transform = '', scope = 'value'] = rule.split(':');
    const common = { params: {}, scope, domain: transform, canonical: 'text', reveals: [], uniqueness: 'preserved' } as unknown as RulePlan;
    if (rule === 'paths') {
      const leaf = (inner: string) => ({ ...toRule(inner), tag: 'pii' });
      const paths = {
        lang: leaf('keep'),
        'tags[]': leaf('keep'),
        'contact.email': leaf('email:value'),
        'contact.phone': leaf('phone:value'),
      };
      return { ...common, transform: 'keep', paths, rest: 'refuse' };
    }
    if (known.has(transform)) return { ...common, transform };
    missing.push(transform);
    return { ...common, transform: 'fixed', params: { value: 'fixed' } };
  };
  const columns = sketches.map(([column, base, rule], i) => ({
    attnum: i + 1,
    name: column,
    type: toType(base),
    notNull: false,
    tag: rule ? 'pii' : 'none',
    rule: toRule(rule),
    unique: false,
    from: 'document',
  }));
  const hidden = (['subject', 'row'] as const).map((purpose) => ({
    purpose,
    column: purpose === 'subject' ? subject : 'id',
    type: toType('int8'),
    via: [],
  }));
  const table = { schema: 'public', name, oid: 1, kind: 'r', rows: 'all', columns, hidden, loadInto: { schema: 'public', name } };
  const plan = { workspace: 'default', environment: 'bench', keyVersion: 1, tables: [table] } as unknown as Plan;
  const lines = Uint8Array.from(Buffer.from(Array.from({ length: rows }, (_, i) => toLine(100_000 + i * 7)).join('')));
  return { name, plan, lines, rows, weight, missing: [...new Set(missing)] };
}

function toType(base: string): DataType {
  return { display: base, kind: 'base', base, deterministicCollation: true, ...(base === 'bpchar' ? { length: 11 } : {}) };
}

const pad = (value: number, width: number): string => String(value).padStart(width, '0').slice(-width);
const pick = (words: readonly string[], i: number): string => words[i % words.length] as string;

function toCustomer(i: number): string {
  const email = `user${i}@${pick(['gmail.com', 'example.org', 'corp.co.uk', 'mail.ru', 'yahoo.fr'], i)}`;
  const notes = i % 3 === 0 ? `Called on 2024-0${1 + (i % 9)}-11 about invoice;\\tcustomer said "ok"\\\\n second line ${i}` : '\\N';
  const profile = `{"lang": "en", "tags": ["a", "b", ${i % 7}], "contact": {"email": "user${i}@gmail.com", "phone": "+1-555-${i % 10000}"}}`;
  const fields = [
    i, pick(['James', 'Mary', 'Robert', 'Patricia', 'Søren', 'Zoë'], i), pick(['Smith', 'Johnson', "O'Brien", 'Müller', 'Kowalski'], i), email,
    `+1-${pad(i * 31, 3)}-555-${pad(i, 4)}`, `${pad(i * 7, 3)}-${pad(i * 3, 2)}-${pad(i, 4)}`, `19${40 + (i % 60)}-0${1 + (i % 9)}-1${i % 10}`,
    `${i % 9999} ${pick(['Main St', 'High Street', 'Oak Avenue', 'Rue de la Paix', 'Hauptstraße'], i)}`,
    pick(['London', 'New York', 'Paris', 'Berlin', 'São Paulo'], i), pad(i * 29, 5), `4${pad(i * 1000003, 15)}`,
    `GB${pad(i * 37, 2)}BARC${pad(i, 14)}`, `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, notes, profile, '2020-01-02 03:46:40+00',
  ]; // prettier-ignore
  return `${fields.join('\t')}\t${i}\t${i}\n`;
}

function toOrder(i: number): string {
  const amount = `${((i * 37) % 100000) / 100}`;
  return `${i}\t${i >> 1}\tuser${i >> 1}@gmail.com\t${amount}\tpaid\t${i % 9999} High Street\t2021-01-05 07:33:20+00\t${i >> 1}\t${i}\n`;
}
