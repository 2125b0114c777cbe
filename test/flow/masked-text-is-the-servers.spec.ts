// What is sent must be what the server gives back: deliver digests the lines that it sends, verify the lines that it reads. For every transform and every type
// that its laws know, and for more edges below: values as the server prints them, masked, sent by COPY, read by COPY, compared byte by byte.
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';

import { BautaError } from '../../src/kernel/errors.js';
import { toFloatText } from '../../src/pipeline/float-text.js';
import { createMasker, prepareMask, transforms } from '../../src/pipeline/mask/mask.js';
import type { Params } from '../../src/pipeline/mask/transform.js';
import { formatLines } from '../laws/copy-text.reference.js';
import type { LawInputs } from '../laws/inputs/law-inputs.js';
import { toDataType } from '../support/apply-transform.js';
import { createTestKeys, toBatch, toHidden, toPlan, toRule } from '../support/mask-plan.js';
import { startTestServer, type TestServer } from '../support/server.js';

interface Case {
  readonly transform: string;
  readonly type: string;
  readonly params: Params;
  readonly values: readonly string[];
}

const seed = Number(process.env['BAUTA_SEED'] ?? 20_261_121);
const edge = (transform: string, type: string, values: readonly string[], params: Params = {}): Case => ({
  transform,
  type,
  params,
  values,
});
const six = ['::', '::1', 'fe80::1', '2001:4860::/32', '2001:4860:4860::/47', 'a::/16', '::/0', '8000::/1', '2001:db8::/29', 'ff00::/8'];
const floats = [
  '0',
  '-0',
  '1.5',
  '-2.25',
  '123456.7',
  '1234567',
  '1e+06',
  '1e-05',
  '1.17549435e-38',
  '3.4028235e+38',
  'NaN',
  'Infinity',
  '0.1',
  '16777216',
];
const doubles = [
  ...floats,
  '1e+15',
  '999999999999999',
  '123456789012345680',
  '1e-300',
  '1.7976931348623157e+308',
  '5e-324',
  '0.30000000000000004',
];
const numerics = ['0', '0.00', '-0.01', '12.340', '1000000000000000000000.000000000000000000001', 'NaN', '-Infinity', '99'];
const times = [
  '2024-02-29 12:34:56.789',
  '2024-02-29 12:34:56.7',
  '1999-12-31 23:59:59.000001',
  '0044-03-15 00:00:00 BC',
  'infinity',
  '10000-01-01 00:00:00',
];

const edges: readonly Case[] = [
  edge('ip', 'inet', [...six.map((text) => text.replace(/\/.*/, '/60')), '10.0.0.1/8', '10.1.2.3', '::ffff:1.2.3.4', '::1.2.3.4']),
  edge('ip', 'cidr', [...six, ...Array.from({ length: 33 }, (_, bits) => `0.0.0.0/${bits}`), ...Array.from({ length: 129 }, (_, bits) => `::/${bits}`)]),
  ...['number-noise', 'generalise'].flatMap((name) => [edge(name, 'float4', floats), edge(name, 'float8', doubles), edge(name, 'numeric', numerics)]),
  edge('generalise', 'numeric(10,3)', ['1.5', '-12.345', '0', '1234567']),
  edge('integer-key', 'numeric(10,2)', ['1', '250', '99999']),
  ...['date-shift', 'date-of-birth', 'truncate', 'generalise'].flatMap((name) => [edge(name, 'timestamp', times), edge(name, 'timestamptz', times)]),
  edge('truncate', 'timestamptz', times, { unit: 'second' }),
  edge('mac', 'macaddr', ['08:00:2B:01:02:03', 'ff-ff-ff-ff-ff-ff']),
  edge('mac', 'macaddr8', ['08:00:2B:01:02:03:04:05', '08002b010203']),
  edge('uuid', 'uuid', ['A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '00000000-0000-0000-0000-000000000000']),
  edge('fixed', 'bytea', ['\\x00ff', '\\x'], { value: '' }),
  edge('fixed', 'numeric(6,2)', ['1', '2.5'], { value: '7' }),
  edge('fixed', 'char(5)', ['a', 'abcde'], { value: 'é' }),
  edge('replace', 'char(6)', ['é', 'Zoë 12', '']),
  ...['keep', 'null'].flatMap((name) => [edge(name, 'interval', ['1 year 2 mons -3 days 04:05:06.7', '-00:00:01']), edge(name, 'bytea', ['\\xdeadbeef'])]),
]; // prettier-ignore

async function toCases(name: string): Promise<Case[]> {
  const { inputs } = (await import(`../laws/inputs/${name}.js`)) as { inputs: LawInputs };
  const lawful = inputs.cases
    .filter(({ type }) => type !== 'money')
    .map(({ type, params = {}, value }) => ({
      transform: name,
      type,
      params,
      values: fc.sample(value, { numRuns: 40, seed }).map((text) => text.replaceAll('\u0000', '')),
    }));
  return [...lawful, ...edges.filter(({ transform }) => transform === name)];
}

describe('masked text on a real Postgres', () => {
  let server: TestServer;
  let client: pg.Client;

  beforeAll(async () => {
    server = await startTestServer();
    client = new pg.Client({ connectionString: await server.create('printed') });
    await client.connect();
    await client.query(`CREATE EXTENSION citext; CREATE EXTENSION hstore; SET TimeZone = 'UTC'; SET DateStyle = 'ISO';
      SET IntervalStyle = 'postgres'; SET bytea_output = 'hex'; SET extra_float_digits = 1`);
  });
  afterAll(async () => {
    await client?.end();
    await server?.stop();
  });

  async function roundTrip(lines: string): Promise<string> {
    await client.query('TRUNCATE printed');
    await pipeline(Readable.from([Buffer.from(lines)]), client.query(copyFrom('COPY printed FROM STDIN')));
    const chunks: Buffer[] = [];
    for await (const chunk of client.query(copyTo('COPY printed TO STDOUT'))) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('utf8');
  }

  async function expectPrinted({ transform, type, params, values }: Case): Promise<void> {
    await client.query(`DROP TABLE IF EXISTS printed; CREATE TABLE printed (value ${type})`);
    const declared = transforms.find((each) => each.name === transform);
    const defaults = Object.entries(declared?.params ?? {}).flatMap(([name, { default: value }]) =>
      value === undefined ? [] : [[name, value]],
    );
    const rule = toRule(transform, {
      scope: declared?.scopes[0] ?? 'value',
      params: { ...(Object.fromEntries(defaults) as Params), ...params },
    });
    const column = { name: 'value', type: { ...toDataType(type), display: type }, rule };
    const prepared = await prepareMask(
      toPlan([column], [toHidden('subject', 'id'), toHidden('row', 'id')]),
      createTestKeys(),
      createTestKeys(),
    );
    const masker = createMasker(prepared, 0);
    const sent = formatLines([[null], ...values.map((value) => [value])]);
    const originals = (await roundTrip(sent)).split('\n').slice(0, -1);
    const masked = originals.flatMap((line, row) => {
      try {
        return [Buffer.from(masker.mask(toBatch(`${line}\t${row}\t${row}\n`)).bytes).toString('utf8')];
      } catch (error) {
        if (error instanceof BautaError && error.code === 'MASK_VALUE_REFUSED') return [];
        throw error;
      }
    });
    expect(masked.length).toBeGreaterThan(values.length / 2);
    expect({ transform, type, lines: (await roundTrip(masked.join(''))).split('\n') }).toEqual({
      transform,
      type,
      lines: masked.join('').split('\n'),
    });
  }

  it.each(transforms.map(({ name }) => name))('of %s comes out of the server as it went in', async (name) => {
    const cases = await toCases(name);
    for (const each of cases) await expectPrinted(each);
    expect(cases.length).toBeGreaterThan(0);
  });

  it.each([true, false])('prints floats as it does, single precision: %s', async (single) => {
    const numbers = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.tuple(fc.integer({ min: -99_999, max: 99_999 }), fc.integer({ min: -20, max: 20 })).map(([n, power]) => Number(`${n}e${power}`)),
    );
    const values = fc
      .sample(numbers, { numRuns: 2000, seed })
      .filter((value) => !single || value === 0 || (Math.abs(value) > 1e-37 && Math.abs(value) < 3e38))
      .map((value) => (Object.is(value, -0) ? '-0' : String(value)));
    const { rows } = await client.query<{ text: string }>(
      `SELECT value::${single ? 'float4' : 'float8'}::text AS text FROM unnest($1::text[]) WITH ORDINALITY AS given (value, place) ORDER BY place`,
      [values],
    );
    expect(values.map((value) => toFloatText(value, single))).toEqual(rows.map(({ text }) => text));
  });
});
