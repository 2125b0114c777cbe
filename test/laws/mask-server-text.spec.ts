import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';

import { createMasker, prepareMask } from '../../src/pipeline/mask/mask.js';
import type { RulePlan } from '../../src/pipeline/plan.js';
import { type ColumnSketch, createTestKeys, testTransforms, toArrayType, toBatch, toPlan, toRule, toType } from '../support/mask-plan.js';
import { startTestServer, type TestServer } from '../support/server.js';

// What we write must be, byte for byte, what the server prints of it later: table digests are compared over these lines.

let server: TestServer;
let client: pg.Client;
beforeAll(async () => {
  server = await startTestServer();
  await server.create('lines');
  client = new pg.Client({ connectionString: server.url('lines') });
  await client.connect();
  await client.query(schema);
});
afterAll(async () => {
  await client?.end();
  await server?.stop();
});

const schema = `
  CREATE EXTENSION citext; CREATE EXTENSION hstore;
  CREATE TYPE place AS (street text, tags text[], doc jsonb);
  CREATE TABLE original (id int, kept text, words text, name citext, code char(7), amount numeric(9,3), list text[], doc jsonb, raw json,
    pairs hstore, home place, docs jsonb[]);
  CREATE TABLE masked (LIKE original);
  INSERT INTO original VALUES
    (1, E'tab\\t nl\\n cr\\r bs\\\\ \\\\N \\b\\f\\v \\x01\\x7f "q" é😀', E'a\\tb\\nc\\rd\\\\e\\b\\f\\v\\x01', 'ANN É', 'ab', 1.5,
      ARRAY['a', 'b c', NULL, 'NULL', '', E'q"\\\\,{}', E't\\tn\\n'],
      '{"b": {"x": "q\\"\\\\\\\\\\n\\u0001é😀", "n": [1, -0.50, true, null, "s"]}, "c": {}, "a": [[{"x": "1"}]], "drop me": 1, "z": {"drop": 2}}',
      '{ "b" : {"x":"\\u00e9\\ud83d\\ude00\\/"}, "gone":[1,2] ,"c":{ }}',
      'email=>"a\\"b\\\\\\\\c", lang=>en, gone=>1, "k é"=>NULL',
      ROW(E'a "b" \\\\ c,(', ARRAY['x y', 'z"'], '{"k": "v w", "gone": 1}'), ARRAY['{"k": "x\\"y"}', NULL, '{"gone": 1}']::jsonb[]),
    (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (3, '', '', '', '', 0, '{}', '{}', '[]', '', ROW(NULL, NULL, NULL), '{}'),
    (4, '\\N', '\\N', 'x', '1234567', -1, '[0:1]={a,b}', 'null', 'null', 'lang=>NULL', ROW('', '{}', 'null'), '{{null,"{}"},{"{}",null}}');
`;

const leaf = (transform: string): RulePlan & { tag: string } => ({ ...toRule(transform), tag: transform === 'keep' ? 'none' : 'pii.test' });
const paths = (listed: Readonly<Record<string, string>>): RulePlan =>
  toRule('keep', { rest: 'drop', paths: Object.fromEntries(Object.entries(listed).map(([path, transform]) => [path, leaf(transform)])) });

function toColumns(transform: string): ColumnSketch[] {
  const text = toType('text');
  const attributes = [
    { name: 'street', type: text },
    { name: 'tags', type: toArrayType(text) },
    { name: 'doc', type: toType('jsonb') },
  ];
  const jsonPaths = { 'b.x': transform, 'b.n[]': transform, 'a[][].x': transform, c: 'keep' };
  return [
    { name: 'id', type: toType('int4') },
    { name: 'kept' },
    { name: 'words', rule: toRule(transform) },
    { name: 'name', type: toType('citext'), rule: toRule(transform, { canonical: 'citext' }) },
    { name: 'code', type: toType('bpchar', { length: 7 }), rule: toRule('same', { canonical: 'bpchar' }) },
    { name: 'amount', type: toType('numeric', { precision: 9, scale: 3 }), rule: toRule('same', { canonical: 'numeric' }) },
    { name: 'list', type: toArrayType(text), rule: toRule(transform) },
    { name: 'doc', type: toType('jsonb'), rule: paths(jsonPaths) },
    { name: 'raw', type: toType('json'), rule: paths(jsonPaths) },
    { name: 'pairs', type: toType('hstore'), rule: paths({ email: transform, lang: 'keep', 'k é': transform }) },
    {
      name: 'home',
      type: toType('place', { kind: 'composite', attributes }),
      rule: paths({ street: transform, 'tags[]': transform, 'doc.k': transform }),
    },
    { name: 'docs', type: toArrayType(toType('jsonb')), rule: paths({ '[].k': transform }) },
  ];
}

async function read(table: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of client.query(copyTo(`COPY ${table} TO STDOUT`))) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function toMasked(transform: string): Promise<{ sent: string; printed: string }> {
  const prepared = await prepareMask(toPlan(toColumns(transform)), createTestKeys());
  const { bytes } = createMasker(prepared, 0, { transforms: testTransforms }).mask(toBatch(await read('original')));
  await client.query('TRUNCATE masked');
  await pipeline(Readable.from([Buffer.from(bytes)]), client.query(copyFrom('COPY masked FROM STDIN')));
  return { sent: Buffer.from(bytes).toString('utf8'), printed: await read('masked') };
}

describe('masked lines and the server', () => {
  it.each(['same', 'exclaim', 'draw'])('are of one text after the transform %s', async (transform) => {
    const { sent, printed } = await toMasked(transform);
    expect(printed).toBe(sent);
    expect(printed.split('\n')).toHaveLength(5);
  });

  it('hold no leaf that is not listed, and every one that is', async () => {
    const { printed } = await toMasked('exclaim');
    expect(printed).not.toMatch(/gone|drop/);
    const rows: unknown = (
      await client.query(`SELECT doc#>>'{b,x}' x, pairs->'email' email, (home).street street, list[6] word FROM masked WHERE id = 1`)
    ).rows;
    expect(rows).toEqual([{ x: '<q"\\\\\n\u0001é😀>', email: '<a"b\\\\c>', street: '<a "b" \\ c,(>', word: '<q"\\,{}>' }]);
  });
});
