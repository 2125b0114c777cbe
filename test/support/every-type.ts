// A table with a column of every kind that the rows encoding knows, its edges, and made-up values beside them; read as Bauta reads it.
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';

import fc from 'fast-check';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

import { systemClock } from '../../src/kernel/clock.js';
import type { Table } from '../../src/pipeline/catalogue.js';
import { connect } from '../../src/systems/postgres/connection.js';
import { copyOutChunks } from '../../src/systems/postgres/copy-out.js';
import { openSource } from '../../src/systems/postgres/postgres.js';
import type { RowTable } from '../../src/systems/kafka/wire/rows/rows.js';
import { type RowChoices, toRowTable } from '../../src/systems/kafka/wire/rows/rows.js';
import type { TestServer } from './server.js';

const word = fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replaceAll('\u0000', ''));
const nasty = ['', '\\N', 'NULL', 'null', '"', '\\', 'a\tb\nc\rd\be\ff\vg\u0001\u007f', '{},"\\', 'é😀', '\u2028', '</script>', ' '];
const digits = (most: number): fc.Arbitrary<string> => fc.stringMatching(new RegExp(`^-?[1-9][0-9]{0,${most - 1}}$`));
const micros = fc.bigInt(-210_866_803_200_000_000n, 9_223_372_036_853_000_000n);

interface EdgeColumn {
  readonly type: string;
  readonly edges: readonly string[];
  readonly made?: fc.Arbitrary<string>;
}

const one = (type: string, edges: readonly string[], made?: fc.Arbitrary<string>): EdgeColumn => ({ type, edges, ...(made && { made }) });
const listed = (values: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .array(fc.option(values), { maxLength: 4 })
    .map((items) => `{${items.map((item) => (item === null ? 'NULL' : `"${item.replace(/["\\]/g, '\\$&')}"`)).join(',')}}`);

const days = ['epoch', '0001-01-01', '0001-12-31 BC', '4713-01-01 BC', '2000-02-29', '1900-02-28', '9999-12-31', '10000-01-01'];
const moments = [
  ...days,
  '1969-12-31 23:59:59.999999',
  '1969-12-31 23:59:59',
  '1970-01-01 00:00:00.000001',
  '294246-12-31 23:59:59.999999',
  'infinity',
  '-infinity',
  '2024-02-29 12:34:56.7',
];
const floats = ['0', '-0', '1.5', '1e+15', '999999999999999', '1e-05', '0.0001', '5e-324', '1.7976931348623157e+308', '0.1'];
const numerics = [
  '0',
  '0.00',
  '-0.01',
  '12.340',
  '1000000000000000000000.000000000000000000001',
  '-99999999999999999999',
  'NaN',
  'Infinity',
];

/** Column → its type, the edges, and what is made up beside them. Whatever some format refuses is not here. */
export const everyType: Readonly<Record<string, EdgeColumn>> = {
  'a "text" \\ é': one('text', nasty, word),
  words: one(
    'varchar(40)',
    nasty.filter((text) => text.length < 41),
    word,
  ),
  fixed: one('char(5)', ['', 'a', 'abcde']),
  folded: one('citext', ['Ann', '\\N'], word),
  name: one('name', ['x', '"']),
  yes: one('boolean', ['t', 'f']),
  i2: one('smallint', ['0', '-32768', '32767']),
  i4: one('integer', ['0', '-2147483648', '2147483647'], fc.integer().map(String)),
  i8: one(
    'bigint',
    ['0', '-9223372036854775808', '9223372036854775807', '9007199254740993', '-64', '63', '64'],
    fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String),
  ),
  object: one('oid', ['0', '4294967295']),
  f4: one(
    'real',
    ['0', '-0', '1e+06', '123456.7', '1e-05', '3.4028235e+38', '1.17549435e-38', '16777216'],
    fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
  ),
  f8: one('double precision', floats, fc.double({ noNaN: true, noDefaultInfinity: true }).map(String)),
  free: one(
    'numeric',
    numerics,
    fc.tuple(digits(30), fc.stringMatching(/^[0-9]{1,20}$/)).map((parts) => parts.join('.')),
  ),
  price: one(
    'numeric(20,4)',
    ['0', '-0.0001', '9999999999999999.9999', '-128', '127.9999', '0.0128'],
    fc.tuple(digits(15), fc.stringMatching(/^[0-9]{1,4}$/)).map((parts) => parts.join('.')),
  ),
  whole: one('numeric(5,0)', ['0', '-99999', '128', '-128', '255', '256']),
  coins: one('money', ['0', '-1234567.89']),
  day: one(
    'date',
    [...days, '5874897-12-31', 'infinity', '-infinity'],
    fc.integer({ min: -2_440_588, max: 2_000_000_000 }).map((n) => `@${n}`),
  ),
  clock: one('time', ['00:00:00', '24:00:00', '23:59:59.999999', '12:00:00.5']),
  zoned: one('timetz', ['00:00:00+00', '12:34:56.7-15:59:59']),
  at: one(
    'timestamp',
    moments,
    micros.map((n) => `@${n}`),
  ),
  instant: one(
    'timestamptz',
    moments,
    micros.map((n) => `@${n}`),
  ),
  milli: one('timestamp(3)', ['2024-01-01 00:00:00.1235']),
  span: one('interval', ['0', '1 year 2 mons -3 days 04:05:06.7', '-1 day']),
  id: one('uuid', ['00000000-0000-0000-0000-000000000000', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']),
  net: one('inet', ['10.0.0.1/8', '::1', '2001:db8::/32']),
  mac: one('macaddr', ['08:00:2b:01:02:03']),
  blob: one(
    'bytea',
    ['', '\\x', '\\x00', '\\x00ff', '\\x00ff5c', '\\xdeadbeef'],
    fc.uint8Array({ maxLength: 20 }).map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`),
  ),
  bits: one('bit varying(12)', ['', '0', '101']),
  doc: one(
    'jsonb',
    ['null', '{"a": "q\\"\\\\\\n\\u0001é😀", "n": [1, -0.50, 1e400]}', '[]'],
    fc.json({ maxDepth: 2 }).filter((text) => !/\\u0000|\\ud[89a-f]/i.test(text)),
  ),
  raw: one('json', ['{ "b" : 1,\n"b":2 }']),
  page: one('xml', ['<a b="c">\td</a>', 'x']),
  pairs: one('hstore', ['', 'a=>"b\\"c", d=>NULL']),
  mood: one('mood', ['happy', "it's", 'so, so']),
  word: one('short_word', ['', 'abc\\']),
  place: one('place', ['(,)', '("a ""b"" \\\\ c,(","{1,2}")']),
  range: one('int4range', ['empty', '[1,5)', '(,3)']),
  ranges: one('tstzmultirange', ['{}', '{["2020-01-01 00:00:00+00",infinity)}']),
  point: one('point', ['(1,2)']),
  boxes: one('box[]', ['{(1,1),(0,0);(2,2),(1,1)}']),
  names: one('text[]', ['{}', '{NULL,"NULL","","a b","q\\"\\\\,{}",é}'], listed(word)),
  numbers: one('bigint[]', ['{}', '{1,NULL,-9223372036854775808}'], listed(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String))),
  moods: one('mood[]', ['{happy,it\'s,"so, so"}']),
  moments: one('timestamptz[]', ['{"2024-01-01 00:00:00+00",infinity,NULL}']),
  blobs: one('bytea[]', ['{"\\\\x00ff",NULL,"\\\\x"}']),
  flags: one('boolean[]', ['{t,f,NULL}']),
  prices: one('numeric(6,2)[]', ['{1.5,-0.01,NULL}']),
  docs: one('jsonb[]', ['{"{\\"k\\": \\"v w\\"}",null,NULL}']),
  places: one('place[]', ['{"(a,)"}']),
  list: one('int_list', ['{1,2}']),
  always: one('integer NOT NULL DEFAULT 7', []),
};

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const columns = Object.entries(everyType);

const schema = `
  CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS hstore; CREATE SCHEMA app; SET search_path = app, public;
  CREATE TYPE mood AS ENUM ('happy', 'it''s', 'so, so');
  CREATE DOMAIN short_word AS varchar(10) CHECK (length(VALUE) < 9);
  CREATE TYPE place AS (street text, numbers integer[]);
  CREATE DOMAIN int_list AS integer[];
  CREATE TABLE every_type (n integer, k text, ${columns.map(([name, { type }]) => `${quote(name)} ${type}`).join(', ')}, PRIMARY KEY (k, n));
  CREATE TABLE keyless (a text, b integer);
  CREATE TABLE empty ();
  INSERT INTO keyless VALUES ('x', 1), (NULL, NULL);
  INSERT INTO empty DEFAULT VALUES;
  INSERT INTO empty DEFAULT VALUES;`;

/** Made-up days and microseconds are numbers, so that they reach every corner of the calendar. */
function toExpression(type: string, at: number): string {
  const text = `$${at}::text`;
  const number = `substr(${text}, 2)::bigint`;
  const second = `'1 second'::interval * (${number} / 1000000) + '1 microsecond'::interval * (${number} % 1000000)`;
  if (type === 'date') return `CASE WHEN ${text} ^@ '@' THEN date '1970-01-01' + ${number}::int ELSE ${text}::date END`;
  if (type === 'timestamp' || type === 'timestamptz')
    return `CASE WHEN ${text} ^@ '@' THEN ${type} '1970-01-01Z' + (${second}) ELSE ${text}::${type} END`;
  return `${text}::${type}`;
}

export interface EveryType {
  readonly table: (name: string, choices: RowChoices) => RowTable;
  /** COPY text of a table. */
  readonly lines: (name: string) => Promise<Buffer>;
  /** Empties a table, loads the text, and gives what the server then prints. */
  readonly reload: (name: string, lines: Uint8Array) => Promise<Buffer>;
  readonly url: string;
  /** As the source's catalogue has them now. */
  readonly tables: () => Promise<readonly Table[]>;
  close(): Promise<void>;
}

/** Makes a database `every` with the table `app.every_type`, of every edge, a row of NULLs, and `made` rows beside them. */
export async function makeEveryType(server: TestServer, made: number, seed: number): Promise<EveryType> {
  const url = await server.create('every');
  await server.sql('every', schema);
  const client = await connect({ name: 'every', url });
  const loading = new pg.Client({ connectionString: url });
  await loading.connect();
  await client.query(`SET search_path = app, public`);
  const most = Math.max(...columns.map(([, { edges }]) => edges.length));
  const values = columns.map(([, { edges, made: arbitrary }]) => [
    ...Array.from({ length: most + 1 }, (_, i) => edges[i] ?? null),
    ...(arbitrary
      ? fc.sample(arbitrary, { numRuns: made, seed })
      : Array.from({ length: made }, (_, i) => edges[i % edges.length] ?? null)),
  ]);
  const typed = columns.filter(([, { edges }]) => edges.length > 0);
  const text = `INSERT INTO every_type (n, k, ${typed.map(([name]) => quote(name)).join(', ')}) VALUES ($1, $2, ${typed.map(([, { type }], i) => toExpression(type, i + 3)).join(', ')})`;
  for (let row = 0; row < most + 1 + made; row++)
    await client.query(text, [row, nasty[row % nasty.length] as string, ...typed.map((column) => values[columns.indexOf(column)]?.[row])]);
  const tables = await readTables(url);
  const find = (name: string): Table => tables.find((table) => table.name === name) as Table;
  const lines = async (name: string): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    for await (const chunk of copyOutChunks(client, `COPY app.${name} TO STDOUT`)) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  };
  return {
    url,
    tables: () => readTables(url),
    lines,
    table: (name, choices) => toRowTable(find(name), find(name), choices),
    reload: async (name, text) => {
      await client.query(`TRUNCATE app.${name}`);
      await pipeline(Readable.from([Buffer.from(text)]), loading.query(copyFrom(`COPY app.${name} FROM STDIN`)));
      return lines(name);
    },
    close: async () => {
      await client.end();
      await loading.end();
    },
  };
}

async function readTables(url: string): Promise<readonly Table[]> {
  const connection = { name: 'every', url };
  const source = openSource({ connection, settings: {}, writable: { reason: 'a test' }, clock: systemClock, verifiers: [] });
  try {
    return (await source.describe({ include: [], exclude: [] })).catalogue.tables;
  } finally {
    await source.close();
  }
}

/** Of a table made since. */
export async function readRowTable(url: string, name: string, choices: RowChoices): Promise<RowTable> {
  const table = (await readTables(url)).find((one) => one.name === name) as Table;
  return toRowTable(table, table, choices);
}
