// Canaries in rows, keys, comments, labels, defaults and checks: none of them in what `bauta classify` says or writes.
import { writeFileSync } from 'node:fs';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { makeFolder, say } from '../support/classified.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let environment: Record<string, string>;
const folder = makeFolder();
const canary = /canary|kanari|4711471147|secretbird/i;

beforeAll(async () => {
  server = await startTestServer();
  environment = { SOURCE_URL: await server.create('leaky') };
  await server.sql(
    'leaky',
    `CREATE EXTENSION hstore;
     CREATE TYPE mood AS ENUM ('fine', 'canary label');
     CREATE TYPE pair AS (email text, rest jsonb);
     CREATE TABLE customer (id int PRIMARY KEY, email text, note text DEFAULT 'canary default', profile jsonb, extra hstore, both_of pair, many pair[], mood mood,
       raw json, list text[], amount numeric, born date, deep jsonb[], document xml, CHECK (note <> 'canary check'));
     COMMENT ON TABLE customer IS 'canary.table@web.de';
     COMMENT ON COLUMN customer.email IS 'as canary.comment@web.de said; bauta: pii.email';
     COMMENT ON COLUMN customer.note IS 'bauta: canary.tag';
     INSERT INTO customer SELECT i, 'canary' || i || '@web.de', 'canary wrote 4711471147 to canary@web.de and more words', jsonb_build_object('canary' || i || '@web.de', i,
       'list', jsonb_build_array(jsonb_build_object('Canary Person', 'canary')), 'fine', 'canary'), hstore('canary key ' || i, 'canary'),
       ('canary@web.de', '{"kanari@x.org": "canary"}')::pair, ARRAY[('canary@web.de', '{"c_4711471147": 1}')::pair], 'canary label', '{"x": {"canary@y.org": "canary"}}',
       ARRAY['canary@web.de'], 4711471147, '1999-09-09', ARRAY['{"kanari tag": "canary"}'::jsonb], '<note c_4711471147="canary"><secretbird.canary>canary</secretbird.canary></note>' FROM generate_series(1, 300) i;
     CREATE TABLE refuses (id int, body json);
     INSERT INTO refuses VALUES (1, '{"a": "\\u0000 canary"}');
     ANALYZE`,
  );
});
afterAll(async () => {
  folder.remove();
  await server.stop();
});

it('says no sampled value, key, comment or label, in text and as JSON', async () => {
  for (const more of [[], ['--json']]) {
    const { exitCode, out, err } = await say(['classify', '--source', 'env:SOURCE_URL', ...more], environment);
    expect(exitCode).toBe(0);
    expect(out.length).toBeGreaterThan(500);
    expect(out).not.toMatch(canary);
    expect(err).not.toMatch(canary);
  }
});

it('names the column whose paths it could not list, without the server’s words', async () => {
  const { err } = await say(['classify', '--source', 'env:SOURCE_URL'], environment);
  expect(err).toMatch(/CLASSIFY_PATHS_SKIPPED: the paths inside public\.refuses\.body could not be listed \(SQLSTATE [0-9A-Z]{5}\)/);
});

it('writes a catalogue, a lock and reports without a text of the schema', async () => {
  const schema = folder.path('schema.json');
  const { out } = await say(['classify', '--catalogue', 'env:SOURCE_URL'], environment);
  writeFileSync(schema, out);
  const file = folder.path('classification.yaml');
  writeFileSync(file, `kind: Classification\nname: c\ntables:\n  customer: {columns: {id: pii.key, born: pii.date-of-birth}}\n`);
  const said = [await say(['classify', '-f', file, '--schema', schema, '--confirm', 'public.customer.id', '--by', 'Ada'])];
  for (const as of ['text', 'junit', 'sarif', 'github'])
    said.push(await say(['classify', '-f', file, '--check', '--schema', schema, '--as', as]));
  said.push(await say(['classify', '-f', file, '--check', '--schema', 'env:SOURCE_URL'], environment));
  expect(said.map(({ exitCode }) => exitCode)).toEqual([0, 3, 3, 3, 3, 3]);
  for (const { out: words, err } of said) expect(words + err).not.toMatch(canary);
  expect(folder.texts()).not.toMatch(canary);
});

it('says nothing of a password in a reference or in a server’s refusal', async () => {
  const url = new URL(environment['SOURCE_URL'] ?? '');
  url.username = 'nobody';
  url.password = 'secretbird';
  const { exitCode, out, err } = await say(['classify', '--source', 'env:WRONG'], { WRONG: url.toString() });
  expect([exitCode === 0, out]).toEqual([false, '']);
  expect(err).not.toMatch(canary);
});
