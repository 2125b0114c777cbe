// The rows encoding loses nothing: what a server prints, as records of every format, read back, is byte for byte what it printed, for every type,
// its edges and made-up values; and the server takes it again.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { BautaError } from '../../src/kernel/errors.js';
import {
  ByteWriter,
  type RowChoices,
  type RowCodec,
  type RowFormat,
  RowReader,
  type RowTable,
  RowWriter,
  SchemaRegistry,
  rowFormats,
  toRowCodec,
  usualChoices,
} from '../../src/systems/kafka/wire/rows/rows.js';
import { type EveryType, makeEveryType, readRowTable } from '../support/every-type.js';
import { type TestServer, startTestServer } from '../support/server.js';

const seed = Number(process.env['BAUTA_SEED'] ?? 20_261_122);
const origin = {
  version: '1.0.0',
  name: 'bauta.local.dev',
  database: 'shop',
  runId: 'run-1',
  atMs: 1_760_000_000_000,
  writtenAtMs: 1_760_000_001_000,
};

let server: TestServer;
let world: EveryType;
beforeAll(async () => {
  server = await startTestServer();
  world = await makeEveryType(server, 150, seed);
}, 60_000);
afterAll(async () => {
  await world?.close();
  await server?.stop();
});

const registry = new SchemaRegistry({
  url: 'https://registry',
  send: () => Promise.resolve({ status: 200, body: Buffer.from('{"id":258}') }),
});
const toCodec = (format: RowFormat, table: RowTable): Promise<RowCodec> =>
  toRowCodec(format, table, { origin, topic: 'bauta.local.dev.rows.app.t', registry });

/** Every record of the lines, key and value. */
function encode(codec: RowCodec, lines: Uint8Array): { key: Buffer | null; value: Buffer }[] {
  const { rows, bytes, ends, keyed } = new RowWriter(codec).write(lines);
  return Array.from({ length: rows }, (_, n) => {
    const [from, middle, end] = [n === 0 ? 0 : (ends[2 * n - 1] as number), ends[2 * n] as number, ends[2 * n + 1] as number];
    return { key: keyed ? bytes.subarray(from, middle) : null, value: bytes.subarray(middle, end) };
  });
}

function decode(codec: RowCodec, records: readonly { key: Buffer | null; value: Buffer }[]): Buffer {
  const out = new ByteWriter();
  const reader = new RowReader(codec);
  records.forEach(({ key, value }, n) => reader.read(key, value, n + 1, out));
  return out.take();
}

const choices: readonly RowChoices[] = [
  usualChoices,
  { numeric: 'decimal', arrays: 'list', floats: 'text' },
  { numeric: 'text', arrays: 'text', floats: 'text' },
];
const cases = rowFormats.flatMap((format) => choices.map((chosen) => ({ format, chosen, words: Object.values(chosen).join(' ') })));

describe.each(cases)('rows as $format with $words', ({ format, chosen }) => {
  it('come back byte for byte, and the server prints the same of them', async () => {
    const lines = await world.lines('every_type');
    const codec = await toCodec(format, world.table('every_type', chosen));
    const back = decode(codec, encode(codec, lines));
    expect(back.toString('utf8').split('\n')).toEqual(lines.toString('utf8').split('\n'));
    expect(back.equals(lines)).toBe(true);
    expect((await world.reload('every_type', back)).equals(lines)).toBe(true);
  });

  it.each(['keyless', 'empty'])('come back from a table without a key: %s', async (name) => {
    const lines = await world.lines(name);
    const codec = await toCodec(format, world.table(name, chosen));
    const records = encode(codec, lines);
    expect(records.map(({ key }) => key)).toEqual([null, null]);
    expect(decode(codec, records).equals(lines)).toBe(true);
  });
});

describe.each(rowFormats)('a record as %s', (format) => {
  it('is refused when a byte of it is another, or is missing, or when its key is not its own', async () => {
    const codec = await toCodec(format, world.table('every_type', usualChoices));
    const lines = await world.lines('every_type');
    const [first, second] = encode(codec, lines) as [{ key: Buffer; value: Buffer }, { key: Buffer; value: Buffer }];
    const line = decode(codec, [first]);
    let same = 0;
    for (let at = 0; at < first.value.length; at++) {
      const value = Buffer.from(first.value);
      value[at] = (value[at] as number) ^ 1;
      try {
        // A changed value is another row; it is never the same one.
        if (decode(codec, [{ key: first.key, value }]).equals(line)) same++;
      } catch (error) {
        expect((error as BautaError).code).toBe('ROWS_RECORD_BROKEN');
      }
    }
    expect(same).toBe(0);
    const broken = expect.objectContaining({
      code: 'ROWS_RECORD_BROKEN',
      where: { schema: 'app', table: 'every_type', row: 1 },
    }) as unknown as Error;
    for (const record of [
      { key: second.key, value: first.value },
      { key: null, value: first.value },
      { key: first.key, value: first.value.subarray(0, -1) },
      { key: first.key, value: Buffer.concat([first.value, Buffer.of(0)]) },
    ])
      expect(() => decode(codec, [record])).toThrow(broken);
  });
});

describe('what a format cannot carry', () => {
  const refuse = async (format: RowFormat, columns: string, value: string): Promise<unknown> => {
    await server.sql('every', `DROP TABLE IF EXISTS app.odd; CREATE TABLE app.odd (n int PRIMARY KEY, v ${columns})`);
    await server.sql('every', `INSERT INTO app.odd VALUES (1, NULL), (2, '${value}')`);
    const codec = await toCodec(format, await readRowTable(world.url, 'odd', { ...usualChoices, numeric: 'decimal' }));
    const lines = await world.lines('odd');
    try {
      encode(codec, lines);
      return 'written';
    } catch (error) {
      const { code, where } = error as BautaError;
      expect(JSON.stringify({ ...where, expected: '' })).not.toContain(value);
      return { code, column: where.column, row: where.row, type: where.type };
    }
  };

  it.each<[RowFormat, string, string, string | undefined]>([
    ['json', 'float8', 'NaN', 'float64'],
    ['connect-json', 'float4', '-Infinity', 'float32'],
    ['avro', 'float8', 'NaN', undefined],
    ['json', 'int[]', '{{1,2},{3,4}}', undefined],
    ['json', 'int[]', '[0:1]={1,2}', 'list'],
    ['connect-json', 'int[]', '{{1,2},{3,4}}', 'list'],
    ['avro', 'int[]', '{{1,2},{3,4}}', 'list'],
    ['avro', 'text[]', '[0:1]={a,b}', 'list'],
    ['avro', 'numeric(5,2)', 'NaN', 'decimal'],
    ['connect-json', 'numeric(5,2)', 'NaN', 'decimal'],
    ['json', 'timestamp', '294276-12-31 23:59:59', 'timestamp'],
    ['avro', 'timestamptz', '294276-12-31 23:59:59+00', 'timestamptz'],
  ])('%s, %s: %s is written whole or refused with its place', async (format, type, value, kind) => {
    const expected = kind === undefined ? 'written' : { code: 'ROWS_VALUE_REFUSED', column: 'v', row: 2, type: kind };
    expect(await refuse(format, type, value)).toEqual(expected);
  });
});
