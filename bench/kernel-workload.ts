// Lines as COPY prints them of the reference workload (bench/reference.sql of the project's shared data): the same value forms, NULLs, lengths and
// order of rows, with a hash of our own in the place of the server's; and the rules of rulebook `default`, domains included, for its 14 masked columns.
import type { DataType } from '../src/pipeline/catalogue.js';
import type { Plan, RulePlan } from '../src/pipeline/plan.js';

export interface WorkTable {
  readonly name: string;
  readonly plan: Plan;
  /** Batches from different places of the table, of the size that extraction makes; hidden columns at the end of each line. */
  readonly batches: readonly Uint8Array[];
  readonly rows: number;
  /** Bytes of all batches without the hidden columns: what the workload's own COPY text has. */
  readonly bytes: number;
  /** Rows of the table in the workload, in millions. */
  readonly weight: number;
}

/** Name, type and `transform:scope:domain` of each column; nothing: kept. */
type Sketch = readonly [name: string, base: string, rule?: string];

const customers: readonly Sketch[] = [
  ['id', 'int8'], ['first_name', 'text', 'first-name:subject:pii.name'], ['last_name', 'text', 'last-name:subject:pii.name'], ['email', 'text', 'email:value:pii.email'],
  ['phone', 'text', 'phone:value:pii.phone'], ['ssn', 'bpchar', 'national-id:value:pii.national-id'], ['dob', 'date', 'date-of-birth:subject:pii.date-of-birth'],
  ['street', 'text', 'street:subject:pii.address'], ['city', 'text'], ['postcode', 'text'], ['card_number', 'text', 'pan:value:pci.pan'],
  ['iban', 'text', 'iban:value:pii.iban'], ['ip', 'inet', 'ip:value:pii.ip'], ['notes', 'text', 'replace:row:pii.free-text'], ['profile', 'jsonb', 'paths'],
  ['created_at', 'timestamptz'],
]; // prettier-ignore
const orders: readonly Sketch[] = [
  ['id', 'int8'], ['customer_id', 'int8'], ['customer_email', 'text', 'email:value:pii.email'], ['amount', 'numeric'], ['status', 'text'],
  ['ship_to', 'text', 'street:subject:pii.address'], ['ordered_at', 'timestamptz'],
]; // prettier-ignore

const batchBytes = 256 * 1024;
const batchCount = 8;

export function createWorkload(): WorkTable[] {
  return [toTable('customers', customers, toCustomer, 1), toTable('orders', orders, toOrder, 3)];
}

function toTable(name: string, sketches: readonly Sketch[], toLine: (i: number) => string, weight: number): WorkTable {
  const columns = sketches.map(([column, base, rule], i) => ({
    attnum: i + 1, name: column, type: toType(base), notNull: false, tag: rule ? 'pii' : 'none', rule: toRule(rule), unique: false, from: 'document',
  })); // prettier-ignore
  const hidden = (['subject', 'row'] as const).map((purpose) => ({
    purpose,
    column: purpose === 'subject' && name === 'orders' ? 'customer_id' : 'id',
    type: toType('int8'),
    via: [],
  }));
  const table = { schema: 'public', name, oid: 1, kind: 'r', rows: 'all', columns, hidden, loadInto: { schema: 'public', name } };
  const plan = { workspace: 'default', environment: 'bench', keyVersion: 1, facts: { target: {} }, tables: [table] } as unknown as Plan;
  return { name, plan, weight, ...toBatches(toLine, weight * 1_000_000) };
}

/** Rows that follow each other, as they lie on the server's pages, from places spread over the table. */
function toBatches(toLine: (i: number) => string, tableRows: number): Pick<WorkTable, 'batches' | 'rows' | 'bytes'> {
  let [rows, bytes] = [0, 0];
  const batches = Array.from({ length: batchCount }, (_, batch) => {
    const lines: string[] = [];
    for (let length = 0, i = 1 + Math.floor((batch * tableRows) / batchCount); ; i++) {
      const line = toLine(i);
      length += Buffer.byteLength(line);
      if (length > batchBytes) return Uint8Array.from(Buffer.from(lines.join('')));
      lines.push(line);
      rows++;
      bytes += Buffer.byteLength(line.replace(/\t\d+\t\d+\n$/, '\n'));
    }
  });
  return { batches, rows, bytes };
}

function toRule(rule = 'keep'): RulePlan {
  const [transform = '', scope = 'value', domain = ''] = rule.split(':');
  const common = { params: {}, scope, domain, canonical: 'text', reveals: [], uniqueness: 'preserved' } as unknown as RulePlan;
  if (rule !== 'paths') return { ...common, transform };
  const leaf = (inner: string) => ({ ...toRule(inner), tag: 'pii' });
  const paths = {
    lang: leaf('keep'),
    'tags[]': leaf('keep'),
    'contact.email': leaf('email:value:pii.email'),
    'contact.phone': leaf('phone:value:pii.phone'),
  };
  return { ...common, transform: 'keep', paths, rest: 'refuse' };
}

function toType(base: string): DataType {
  const size = base === 'bpchar' ? { length: 11 } : base === 'numeric' ? { precision: 12, scale: 2 } : {};
  return { display: base, kind: 'base', base, deterministicCollation: true, ...size };
}

const pad = (value: number, width: number): string => String(value).padStart(width, '0').slice(0, width);

/** In the place of `hashint8(i) & 2147483647`: any function that looks random. */
function hash(i: number): number {
  let x = Math.imul(i ^ (i >>> 16), 0x45d9f3b);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  return (x ^ (x >>> 16)) & 0x7fffffff;
}

function pick(words: readonly string[], i: number): string {
  return words[hash(i) % words.length] as string;
}

function toTime(year: number, seconds: number): string {
  return `${new Date(Date.UTC(year, 0, 1) + seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')}+00`;
}

function toDate(year: number, days: number): string {
  return toTime(year, days * 86_400).slice(0, 10);
}

const first = ['James', 'Mary', 'Robert', 'Patricia', 'John', 'Jennifer', 'Michael', 'Linda', 'David', 'Elizabeth', 'Wei', 'Olga', 'Fatima', 'Søren', 'Zoë']; // prettier-ignore
const last = ['Smith', 'Johnson', 'Williams', 'Brown', 'Jones', 'Garcia', 'Miller', 'Davis', 'Rodriguez', 'Martinez', 'Nguyen', "O'Brien", 'Müller', 'Kowalski']; // prettier-ignore

function toCustomer(i: number): string {
  const notes = i % 3 === 0 ? `Called on ${toDate(2024, i % 365)} about invoice;\\tcustomer said "ok"\\\\n second line ${i}` : '\\N';
  const lang = ['en', 'fr', 'de'][i % 3] as string;
  const contact = `{"email": "user${i}@gmail.com", "phone": "+1-555-${i % 10000}"}`;
  const fields = [
    i, pick(first, i), pick(last, i * 7), `user${i}@${pick(['gmail.com', 'example.org', 'corp.co.uk', 'mail.ru', 'yahoo.fr'], i * 13)}`,
    `+1-${pad(hash(i * 3) % 1000, 3)}-555-${pad(i % 10000, 4)}`,
    `${pad(hash(i * 5) % 900, 3)}-${pad(hash(i * 6) % 100, 2)}-${pad(i % 10000, 4)}`,
    toDate(1940, hash(i * 11) % 24000),
    `${hash(i * 17) % 9999} ${pick(['Main St', 'High Street', 'Oak Avenue', 'Rue de la Paix', 'Hauptstraße'], i * 19)}`,
    pick(['London', 'New York', 'Paris', 'Berlin', 'Warsaw', 'São Paulo'], i * 23), pad(hash(i * 29) % 100000, 5),
    `4${pad((hash(i * 31) * 1000003) % 1e15, 15)}`, `GB${pad(hash(i * 37) % 100, 2)}BARC${pad(i, 14)}`,
    `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`, notes, `{"lang": "${lang}", "tags": ["a", "b", ${i % 7}], "contact": ${contact}}`,
    toTime(2020, i),
  ]; // prettier-ignore
  return `${fields.join('\t')}\t${i}\t${i}\n`;
}

function toOrder(i: number): string {
  const customer = 1 + (hash(i) % 1_000_000);
  const amount = (((i * 37) % 100000) / 100).toFixed(2);
  const status = ['new', 'paid', 'sent', 'done'][i % 4] as string;
  const fields = [i, customer, `user${customer}@gmail.com`, amount, status, `${hash(i * 17) % 9999} High Street`, toTime(2021, i)];
  return `${fields.join('\t')}\t${customer}\t${i}\n`;
}
