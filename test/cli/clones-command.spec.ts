// `bauta clones` on a made-up shop: made, listed, asked for again, dropped, and what the log says of it.
import { readFileSync, rmSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import pg from 'pg';

import type { Event } from '../../src/pipeline/event.js';
import type { Clone } from '../../src/pipeline/ports.js';
import { eventsOf } from '../support/log.js';
import { type Said, type TinyWorld, bauta, pipelineText, startTinyWorld } from '../support/tiny-source.js';

let world: TinyWorld;
let home: string;
let env: Record<string, string>;
let documents: string;
/** What clones takes: no credential of the source. */
const clones = (...words: string[]): Promise<Said> => {
  const rest = Object.entries(env).filter(([name]) => name !== 'SOURCE_URL');
  return bauta(['clones', ...words, '--home', home], { env: Object.fromEntries(rest) });
};
const list = async (): Promise<Clone[]> =>
  (JSON.parse((await clones('list', '-f', documents, '--json')).stdout) as { clones: Clone[] }).clones;
const events = (): Event[] => eventsOf(home).filter(({ type }) => type.startsWith('clone.') || type.startsWith('gate.asked-again'));

beforeAll(async () => {
  world = await startTinyWorld();
  home = mkdtempSync(join(tmpdir(), 'bauta-clones-'));
  env = { SOURCE_URL: await world.source('shop'), TARGET_URL: world.target('copy'), BAUTA_THREADS: '0' };
  documents = world.documents({ 'pipeline.yaml': pipelineText.replace('allows: [pii]', 'allows: [pii]\n  clones: { max: 2, hours: 48 }') });
}, 60_000);
afterAll(async () => {
  await world.stop();
  rmSync(home, { recursive: true, force: true });
});

it('there is nothing to clone before a version is published, and none without a word in the document', async () => {
  const none = await clones('make', '-f', documents, '--for', 'pr-1');
  expect([none.exitCode, none.stderr]).toEqual([3, expect.stringContaining('CLONE_NO_TEMPLATE')]);
  expect((await bauta(['run', '-f', documents, '--home', home], { env })).exitCode).toBe(0);
  const unsaid = await clones('make', '-f', world.documents(), '--for', 'pr-1');
  expect([unsaid.exitCode, unsaid.stderr]).toEqual([3, expect.stringContaining('CLONES_NOT_DECLARED')]);
}, 60_000);

it('makes one, shows its connection string once, and the log has neither string nor password', async () => {
  const made = await clones('make', '-f', documents, '--for', 'pr-123', '--hours', '24');
  expect([made.exitCode, made.stderr]).toEqual([0, expect.stringMatching(/^cloned {3}version 1 of copy for pr-123, until 20/)]);
  const url = made.stdout.trim();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  expect((await client.query('SELECT count(*)::int > 0 AS filled FROM app.person')).rows).toEqual([{ filled: true }]);
  await client.query('ALTER TABLE app.person ADD COLUMN by_migration int');
  await client.end();
  const attested = await bauta(['attest', 'env:CLONE', '--key', join(home, 'log.pub'), '--counts', '--json'], { env: { CLONE: url } });
  expect(JSON.parse(attested.stdout)).toMatchObject({ marker: expect.stringContaining('masked copy, not production') });
  const [one] = await list();
  expect(one).toMatchObject({ for: 'pr-123', version: 1, database: new URL(url).username });
  expect(events().map(({ type, runId }) => [type, runId])).toEqual([
    ['gate.asked-again', one?.id],
    ['clone.made.intended', one?.id],
    ['clone.made.done', one?.id],
  ]);
  expect(JSON.stringify(eventsOf(home))).not.toContain(new URL(url).password);
}, 60_000);

it('asked again for the same it gives the same clone and another password, into a file that is its owner’s alone', async () => {
  const out = join(home, 'clone.url');
  const again = await clones('make', '-f', documents, '--for', 'pr-123', '--hours', '1', '--out', out, '--json');
  expect(JSON.parse(again.stdout)).toMatchObject({ connection: `file:${out}`, clones: [{ for: 'pr-123' }], findings: [] });
  expect(again.stdout).not.toContain('postgres://');
  expect(statSync(out).mode & 0o777).toBe(0o600);
  expect(readFileSync(out, 'utf8')).toMatch(/^postgres:\/\/copy_bauta_\w{16}_clone:/);
  expect(await list()).toHaveLength(1);
});

it('refuses more than the document allows: clones, hours, and what is no name', async () => {
  expect((await clones('make', '-f', documents, '--for', 'pr-2')).exitCode).toBe(0);
  const full = await clones('make', '-f', documents, '--for', 'pr-3');
  expect([full.exitCode, full.stderr]).toEqual([1, expect.stringContaining('CLONES_FULL')]);
  const long = await clones('make', '-f', documents, '--for', 'pr-3', '--hours', '49');
  expect([long.exitCode, long.stderr]).toEqual([3, expect.stringContaining('48 hours')]);
  expect((await clones('make', '-f', documents, '--for', 'pr 3')).exitCode).toBe(3);
  expect((await clones('make', '-f', documents, '--for', 'pr-3', '--out', '/nowhere/file')).stderr).toContain('OUTPUT_UNWRITABLE');
}, 60_000);

it('drops one by what it was for, and the next command drops what has expired', async () => {
  expect((await clones('drop', '-f', documents, '--for', 'pr-2')).exitCode).toBe(0);
  expect((await clones('drop', '-f', documents, '--for', 'pr-2')).stderr).toContain('CLONE_UNKNOWN');
  const [one] = await list();
  // As it would be in an hour.
  const [role] = await world.server.sql(
    'postgres',
    `SELECT shobj_description(oid, 'pg_authid') AS text FROM pg_authid WHERE rolname = '${one?.database}'`,
  );
  const past = String(role?.['text']).replace(one?.expiresAt ?? '-', '2026-01-01T00:00:00.000Z');
  await world.server.sql('postgres', `COMMENT ON ROLE ${one?.database} IS '${past}'`);
  expect((await clones('make', '-f', documents, '--for', 'pr-4')).exitCode).toBe(0);
  expect((await list()).map((clone) => clone.for)).toEqual(['pr-4']);
  const last = events().filter(({ runId }) => runId === one?.id);
  expect(last.at(-1)).toMatchObject({ type: 'clone.dropped.done', data: { why: 'expired', for: 'pr-123' } });
  expect((await clones('drop', '-f', documents, '--for', 'pr-4')).exitCode).toBe(0);
  const verified = await bauta(['audit', 'verify', '--home', home], { env });
  expect(verified.exitCode).toBe(0);
}, 60_000);
