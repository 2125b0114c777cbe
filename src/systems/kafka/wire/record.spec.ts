// Bulk records: what goes in comes out, and nothing else does.
import { type KeyObject, createPrivateKey, generateKeyPairSync, hash, randomBytes, sign } from 'node:crypto';
import { gzipSync } from 'node:zlib';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { toLeafDigest } from '../../../pipeline/audit/audit.js';
import { type BulkRecord, type DatasetKey, openBulkRecord, toBulkRecord, toSignedBytes } from './record.js';
import { RecordTree } from './record-tree.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const environment = 'qa';
const run = '0198c0de-0000-7000-8000-000000000001';
const key: DatasetKey = { id: 'k1', secret: randomBytes(32) };
const of = { run, table: 1, range: 2, sequence: 3, last: false, rows: 2 };
const lines = Buffer.from('1\tAda\\tB\n2\t\\N\n');
const open = { environment, runId: run, publicKey };
const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'opened',
    (error: { code: string }) => error.code,
  );

const claims = fc.record({
  table: fc.nat(5),
  range: fc.nat(1000),
  sequence: fc.nat(1_000_000),
  last: fc.boolean(),
  rows: fc.array(fc.string({ unit: fc.constantFrom('a', '\t', 'é', '\\'), maxLength: 30 }), { maxLength: 20 }),
});

describe('a bulk record', () => {
  it('comes out as it went in, in clear and encrypted', async () => {
    await fc.assert(
      fc.asyncProperty(claims, fc.boolean(), async ({ rows, ...at }, sealed) => {
        const text = Buffer.from(rows.map((row) => `${row}\n`).join(''));
        const head = { ...at, run, rows: rows.length };
        const record = await toBulkRecord(head, text, { environment, privateKey, key: sealed ? key : undefined });
        const opened = await openBulkRecord(record.headers, record.value, { ...open, ...(sealed && { findKey: () => key }) });
        expect(opened.lines.equals(text)).toBe(true);
        expect(opened.head).toEqual({ ...head, size: text.length, digest: hash('sha256', text, 'hex') });
        expect(opened.leaf).toEqual(record.leaf);
        expect(record.leaf).toEqual(toLeafDigest(toSignedBytes(environment, record.head)));
      }),
      { numRuns: 60 },
    );
  });

  it('is refused when any header says something else', async () => {
    const { headers, value } = await toBulkRecord(of, lines, { environment, privateKey });
    const others: Record<string, string> = {
      'b-run': run.replace('1', '2'),
      'b-table': '0',
      'b-range': '3',
      'b-seq': '4',
      'b-last': '1',
      'b-rows': '1',
      'b-size': '1',
      'b-digest': '0'.repeat(64),
      'b-sig': Buffer.alloc(64).toString('base64'),
    };
    expect(Object.keys(others).sort()).toEqual(Object.keys(headers).sort());
    for (const [name, other] of Object.entries(others)) {
      expect([name, await codeOf(openBulkRecord({ ...headers, [name]: other }, value, open))]).toEqual([name, 'STREAM_RECORD_FORGED']);
      const without = Object.fromEntries(Object.entries(headers).filter(([known]) => known !== name));
      expect([name, await codeOf(openBulkRecord(without, value, open))]).toEqual([name, 'STREAM_RECORD_FORGED']);
    }
  });

  it('is refused when one bit of its value is another', async () => {
    for (const [sealed, findKey] of [[undefined, undefined] as const, [key, () => key] as const]) {
      const { headers, value } = await toBulkRecord(of, lines, { environment, privateKey, key: sealed });
      // The time and the operating system in the head of a gzip stream are nothing to us.
      const meaningful = [...value.keys()].filter((at) => sealed || at > 9);
      for (const at of meaningful) {
        const changed = Buffer.from(value);
        changed[at]! ^= 1;
        expect([at, await codeOf(openBulkRecord(headers, changed, { ...open, ...(findKey && { findKey }) }))]).toEqual([
          at,
          'STREAM_RECORD_BROKEN',
        ]);
      }
    }
  });

  it('is refused of another environment, another run, under another key, and as a tombstone', async () => {
    const { headers, value } = await toBulkRecord(of, lines, { environment, privateKey });
    const other = generateKeyPairSync('ed25519').publicKey;
    expect(await codeOf(openBulkRecord(headers, value, { ...open, environment: 'dev' }))).toBe('STREAM_RECORD_FORGED');
    expect(await codeOf(openBulkRecord(headers, value, { ...open, runId: 'another' }))).toBe('STREAM_RECORD_FORGED');
    expect(await codeOf(openBulkRecord(headers, value, { ...open, publicKey: other }))).toBe('STREAM_RECORD_FORGED');
    expect(await codeOf(openBulkRecord(headers, null, open))).toBe('STREAM_RECORD_BROKEN');
    expect(await codeOf(openBulkRecord({ ...headers, 'b-run': [run, run] }, value, open))).toBe('STREAM_RECORD_FORGED');
  });

  it('is refused in clear where a key was agreed on, and under a key that is not the one', async () => {
    const clear = await toBulkRecord(of, lines, { environment, privateKey });
    const sealed = await toBulkRecord(of, lines, { environment, privateKey, key });
    expect(await codeOf(openBulkRecord(clear.headers, clear.value, { ...open, findKey: () => key }))).toBe('STREAM_RECORD_BROKEN');
    expect(await codeOf(openBulkRecord(sealed.headers, sealed.value, open))).toBe('STREAM_RECORD_BROKEN');
    const other = { ...key, secret: randomBytes(32) };
    expect(await codeOf(openBulkRecord(sealed.headers, sealed.value, { ...open, findKey: () => other }))).toBe('STREAM_RECORD_BROKEN');
    expect(sealed.value.includes(Buffer.from('Ada'))).toBe(false);
  });

  it('inflates no more than it claims, however much is in it', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 10));
    const record = await toBulkRecord(of, lines, { environment, privateKey });
    expect(await codeOf(openBulkRecord(record.headers, bomb, open))).toBe('STREAM_RECORD_BROKEN');
    const huge = signed(privateKey, { 'b-size': String(64 * 1024 * 1024) }, record);
    expect(await codeOf(openBulkRecord(huge, bomb, open))).toBe('STREAM_RECORD_FORGED');
  });
});

/** Headers whose claims were changed, signed again: by somebody who has the key. */
function signed(by: KeyObject, changes: Record<string, string>, { headers, head }: BulkRecord): Record<string, string> {
  const bytes = toSignedBytes(environment, { ...head, size: Number(changes['b-size'] ?? head.size) });
  return { ...headers, ...changes, 'b-sig': sign(null, bytes, by).toString('base64') };
}

it('is signed over these bytes, with this signature and this leaf, in every release', async () => {
  const seed = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]);
  const known = createPrivateKey({ key: seed, format: 'der', type: 'pkcs8' });
  const { headers, head, leaf } = await toBulkRecord(of, lines, { environment, privateKey: known });
  expect(toSignedBytes(environment, head).toString()).toBe(
    `bauta kafka record v1\n{"digest":"b120f192420afa7cf5d848c912f86c18c96a4d1a737676cea2cfde67ab844189","environment":"qa","last":false,"range":2,"rows":2,"run":"${run}","sequence":3,"size":14,"table":1}`,
  );
  expect(headers['b-sig']).toBe('sPIBc0M20PVo6Ti4EWUaa01DaYV7k6ORpjupUqiYowOminBQN1F79nIWqrk2Pr8fILOr4ihx1YFWsV2BL/KaAQ==');
  expect(leaf.toString('hex')).toBe('e817b49f78702ff8629e69c16ced024c94bb5dbbacd2241c7c42cc7bc6a6a9ee');
});

describe('the tree of a version', () => {
  const head = { run, table: 0, range: 0, sequence: 0, last: true, rows: 1, size: 10, digest: '' };
  const leaf = (text: string): Buffer => toLeafDigest(Buffer.from(text));

  it('has the same root whatever the order in which streams came', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.nat(1000)),
        (streams, chance) => {
          const next = new Map<number, number>();
          const all = streams.map(([table, records]) => {
            const range = next.get(table) ?? 0;
            next.set(table, range + 1);
            return Array.from({ length: records }, (_, sequence) => ({ ...head, table, range, sequence, last: sequence === records - 1 }));
          });
          const add = (tree: RecordTree, one: typeof head): boolean => tree.add(one, leaf(`${one.table} ${one.range} ${one.sequence}`));
          const inOrder = new RecordTree(3);
          for (const stream of all) for (const one of stream) add(inOrder, one);
          const mixed = new RecordTree(3);
          const left = all.map((stream) => [...stream]);
          while (left.some((stream) => stream.length > 0)) {
            const some = left.filter((stream) => stream.length > 0);
            add(mixed, some[chance.next().value! % some.length]!.shift()!);
          }
          expect(mixed.root()).toEqual(inOrder.root());
          expect(mixed.tables()).toEqual(inOrder.tables());
        },
      ),
    );
  });

  it('takes a record twice for one, another one in its place for a forgery, and a gap for what is missing', () => {
    const tree = new RecordTree(1);
    const first = { ...head, last: false };
    expect(tree.add(first, leaf('a'))).toBe(true);
    expect(tree.add(first, leaf('a'))).toBe(false);
    expect(() => tree.add(first, leaf('b'))).toThrow(expect.objectContaining({ code: 'STREAM_RECORD_FORGED' }));
    expect(() => tree.add({ ...first, sequence: 2 }, leaf('c'))).toThrow(expect.objectContaining({ code: 'STREAM_RECORD_MISSING' }));
    expect(() => tree.root()).toThrow(expect.objectContaining({ code: 'STREAM_RECORD_MISSING' }));
    tree.add({ ...head, sequence: 1 }, leaf('b'));
    expect(() => tree.add({ ...head, sequence: 2 }, leaf('c'))).toThrow(expect.objectContaining({ code: 'STREAM_RECORD_MISSING' }));
    expect(() => tree.add({ ...head, table: 1 }, leaf('c'))).toThrow(expect.objectContaining({ code: 'STREAM_RECORD_FORGED' }));
    expect(tree.tables()).toEqual([{ ranges: 1, records: 2, rows: 2, bytes: 20 }]);
    expect(tree.root()).toHaveLength(32);
  });
});
