import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from '@jest/globals';

import { attest, toStatement } from '../../src/cli/attest.js';
import { formatVerifierKey, toSigner } from '../../src/kernel/signed-note.js';
import type { Statement } from '../../src/pipeline/verify/verify.js';
import { debianProgram, hasDebianServer } from '../support/debian-server.js';
import { type TargetWorld, logSigner, readTraces, stage, startTargetWorld, toUrl } from '../support/target-world.js';

let world: TargetWorld;
let folder: string;
let key: string;
beforeAll(async () => {
  world = await startTargetWorld();
  await world.server.sql('postgres', `CREATE ROLE tester LOGIN PASSWORD 'a password'; CREATE ROLE job LOGIN PASSWORD 'a password'`);
  folder = mkdtempSync(join(tmpdir(), 'bauta-attest-'));
  key = join(folder, 'log.pub');
  writeFileSync(key, `${formatVerifierKey(logSigner.verifier)}\n`);
}, 60_000);
afterAll(async () => {
  await world.server.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  const [control] = await world.server.sql('postgres', 'SELECT system_identifier::text AS id FROM pg_control_system()');
  const target = world.target('shop');
  const { publish } = await stage(target);
  expect(await publish({ systemIdentifier: String(control?.['id']) })).toEqual([]);
  await target.close();
  await world.server.sql('postgres', 'GRANT shop_ro TO job; GRANT shop_rw TO tester');
});
afterEach(async () => {
  for (const name of (await readTraces(world.server)).databases)
    await world.server.sql('postgres', `DROP DATABASE "${String(name)}" WITH (FORCE)`);
});

interface Asked {
  readonly database?: string;
  readonly role?: string;
  readonly url?: string;
  readonly key?: string | undefined;
  readonly nonce?: string;
  readonly counts?: boolean;
}

async function ask({ database = 'shop', role = 'job', url, ...words }: Asked = {}): Promise<Statement> {
  const environment = { DATABASE_URL: url ?? toUrl(world.server.url(database), role) };
  const { statement } = await toStatement({ reference: 'env:DATABASE_URL', environment, key, ...words });
  return statement;
}

const codes = ({ findings }: Statement): string[] => findings.map(({ code, severity }) => (severity === 'warning' ? `${code}?` : code));

async function code(words: Asked): Promise<number> {
  const environment = { DATABASE_URL: words.url ?? toUrl(world.server.url(words.database ?? 'shop'), words.role ?? 'job') };
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = () => true;
  try {
    return await attest({ reference: 'env:DATABASE_URL', environment, key, ...words });
  } finally {
    process.stdout.write = write;
  }
}

describe('a published dataset, asked by a login that may only read', () => {
  it('is valid: marker as signed, nonce, place, time, and each table with its rows', async () => {
    const statement = await ask({ nonce: 'aabbccddeeff0011' });
    expect(statement).toMatchObject({
      state: 'valid',
      findings: [],
      marker: expect.stringContaining('masked copy, not production'),
      nonce: 'aabbccddeeff0011',
      database: 'shop',
      compared: 'rows',
      tables: [
        { schema: 'Sales Dept', table: 'order', rows: 2, published: 2, state: 'equal' },
        { schema: 'public', table: 'person', rows: 3, published: 3, state: 'equal' },
      ],
    });
    expect(statement.systemIdentifier).toMatch(/^\d+$/);
    expect(statement.marker).toContain('\u2014 test-log ');
    expect(Date.parse(statement.time)).toBeGreaterThan(Date.now() - 60_000);
    expect(await code({})).toBe(0);
  });

  it('has no checked signer without the key, and is not believed with that of another log', async () => {
    expect(await ask({ key: undefined })).toMatchObject({ state: 'unchecked' });
    expect(await code({ key: undefined })).toBe(5);
    const wrong = join(folder, 'other.pub');
    writeFileSync(wrong, formatVerifierKey(toSigner('other-log').verifier));
    expect(codes(await ask({ key: wrong }))).toEqual(['MARKER_SIGNER_UNKNOWN']);
    expect(await code({ key: wrong })).toBe(1);
    await expect(ask({ key: join(folder, 'nowhere') })).rejects.toMatchObject({ code: 'PUBLIC_KEY_UNREADABLE' });
    await expect(ask({ nonce: 'xyz' })).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  it('names each table whose rows are not those that were published: one more, one changed, gone, new, hidden', async () => {
    await world.server.sql('shop', `DELETE FROM "Sales Dept"."order" WHERE id = 10`);
    expect(codes(await ask())).toEqual(['DATASET_ROWS_DIFFER']);
    await world.server.sql('shop', `INSERT INTO "Sales Dept"."order" VALUES (10, 1, '2026-01-01 00:00:00+00')`);
    expect(codes(await ask())).toEqual([]);
    await world.server.sql('shop', `UPDATE person SET note = 'somebody' WHERE id = 2`);
    const changed = await ask();
    expect(changed).toMatchObject({
      state: 'broken',
      findings: [{ code: 'DATASET_CONTENT_DIFFERS', where: { schema: 'public', table: 'person' } }],
    });
    expect(JSON.stringify(changed)).not.toContain('somebody');
    expect(await code({})).toBe(1);
    // Counting alone does not see it, and the statement says that it only counted.
    expect(await ask({ counts: true })).toMatchObject({
      state: 'valid',
      compared: 'counts',
      tables: [{ state: 'counted' }, { state: 'counted' }],
    });
    await world.server.sql('shop', `UPDATE person SET note = NULL WHERE id = 2; CREATE TABLE public.from_production AS SELECT 1 AS n`);
    expect(codes(await ask())).toEqual(['DATASET_TABLE_UNKNOWN']);
    await world.server.sql('shop', `DROP TABLE from_production; ALTER TABLE person ENABLE ROW LEVEL SECURITY`);
    expect(codes(await ask())).toEqual(['DATASET_TABLE_UNREADABLE']);
    await world.server.sql('shop', `ALTER TABLE person DISABLE ROW LEVEL SECURITY; ALTER TABLE person ADD COLUMN later int DEFAULT 1`);
    // A column that came later changes nothing of what was published; one that went does.
    expect(codes(await ask())).toEqual([]);
    await world.server.sql('shop', `ALTER TABLE person DROP COLUMN note`);
    expect(codes(await ask())).toEqual(['DATASET_CONTENT_DIFFERS']);
    await world.server.sql('shop', `DROP TABLE "Sales Dept"."order"`);
    expect(codes(await ask())).toEqual(['DATASET_TABLE_MISSING', 'DATASET_CONTENT_DIFFERS']);
  });

  it.each([
    ['expiresAt', `UPDATE bauta.dataset SET expires_at = expires_at + interval '1 year'`],
    ['manifest', `UPDATE bauta.dataset SET manifest = '[]'`],
    ['signature', `UPDATE bauta.dataset SET note = replace(note, '"version":1', '"version":9'), version = 9`],
    ['schema', `INSERT INTO bauta.dataset SELECT * FROM bauta.dataset`],
    ['schema', `CREATE VIEW bauta.more AS SELECT 1 AS n`],
    ['schema', `ALTER TABLE bauta.dataset RENAME TO theirs; CREATE VIEW bauta.dataset AS SELECT * FROM bauta.theirs`],
  ])('is unknown data when its marker was edited: %s', async (part, sql) => {
    await world.server.sql('shop', sql);
    expect(await ask()).toMatchObject({ state: 'unknown', findings: [{ code: 'MARKER_BROKEN', where: { expected: part } }], tables: [] });
    expect(await code({})).toBe(1);
  });

  it('is unknown data without a marker, and a marker beside other rows does not help', async () => {
    await world.server.sql('shop', 'DROP SCHEMA bauta CASCADE');
    expect(codes(await ask())).toEqual(['MARKER_MISSING']);
    await world.server.create('production');
    expect(await ask({ database: 'production' })).toMatchObject({ state: 'unknown', marker: null, findings: [{ code: 'MARKER_MISSING' }] });
  });
});

describe('a dataset at another time or place', () => {
  it('has expired when its retention is over, and is not believed when it comes from the future', async () => {
    const target = world.target('old');
    const { publish } = await stage(target);
    await publish({ madeAtMs: Date.now() - 31 * 86_400_000 });
    await target.close();
    await world.server.sql('postgres', 'GRANT old_ro TO job');
    expect(codes(await ask({ database: 'old' }))).toContain('MARKER_EXPIRED');
    expect(await code({ database: 'old' })).toBe(1);
    const later = world.target('later');
    await (await stage(later)).publish({ madeAtMs: Date.now() + 3_600_000 });
    await later.close();
    await world.server.sql('postgres', 'GRANT later_ro TO job');
    expect(codes(await ask({ database: 'later' }))).toContain('MARKER_CLOCK');
  });

  it('is told as a version that is not current any more', async () => {
    const target = world.target('shop');
    await (await stage(target)).publish();
    const previous = (await target.datasets()).find(({ state }) => state === 'previous');
    await target.close();
    const statement = await ask({ database: previous?.database ?? '', role: 'bauta_target' });
    expect(statement).toMatchObject({ state: 'valid', findings: [{ code: 'MARKER_REPLACED', severity: 'warning' }] });
  });

  it('is known data in a copy as long as every row is compared, and the copy is told; with other rows, or counted only, it is not', async () => {
    await world.server.create('copy', 'shop');
    await world.server.sql('postgres', 'GRANT CONNECT ON DATABASE copy TO job');
    expect(await ask({ database: 'copy' })).toMatchObject({
      state: 'valid',
      findings: [{ code: 'MARKER_RESTORED_ELSEWHERE', severity: 'warning' }],
    });
    expect(codes(await ask({ database: 'copy', counts: true }))).toEqual(['MARKER_RESTORED_ELSEWHERE']);
    expect(await code({ database: 'copy', counts: true })).toBe(1);
    await world.server.sql('copy', `UPDATE person SET email = 'other@example.com' WHERE id = 1`);
    expect(codes(await ask({ database: 'copy' }))).toEqual(['DATASET_CONTENT_DIFFERS', 'MARKER_RESTORED_ELSEWHERE?']);
  });
});

it('lets everybody read the marker and nobody of the environment write it, whoever owns the database', async () => {
  const rights = `SELECT r.rolname AS role, has_table_privilege(r.rolname, 'bauta.dataset', 'SELECT') AS reads,
      has_table_privilege(r.rolname, 'bauta.dataset', 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') OR has_any_column_privilege(r.rolname, 'bauta.dataset', 'UPDATE')
        OR has_schema_privilege(r.rolname, 'bauta', 'CREATE') AS writes
    FROM pg_roles r WHERE r.rolname IN ('shop_owner', 'shop_rw', 'shop_ro', 'job', 'tester', 'bauta_target', 'pg_monitor') ORDER BY 1`;
  const rows = await world.server.sql('shop', rights);
  expect(rows).toEqual(
    ['bauta_target', 'job', 'pg_monitor', 'shop_owner', 'shop_ro', 'shop_rw', 'tester'].map((role) => ({
      role,
      reads: true,
      writes: false,
    })),
  );
  // Not even the owner of the database and of all its tables.
  await world.server.sql('postgres', `CREATE ROLE developer LOGIN PASSWORD 'a password' IN ROLE shop_owner`);
  const { default: pg } = await import('pg');
  const developer = new pg.Client({ connectionString: toUrl(world.server.url('shop'), 'developer') });
  await developer.connect();
  try {
    for (const sql of [
      `UPDATE bauta.dataset SET version = 2`,
      `ALTER TABLE bauta.dataset OWNER TO developer`,
      `DROP TABLE bauta.dataset`,
      `DROP SCHEMA bauta CASCADE`,
      `CREATE TABLE bauta.more (n int)`,
    ])
      await expect(developer.query(sql)).rejects.toMatchObject({ code: '42501' });
    // Granting what one has not is a warning of the server's, and nothing else.
    await developer.query('GRANT UPDATE ON bauta.dataset TO developer');
    const [row] = await world.server.sql('shop', `SELECT has_table_privilege('developer', 'bauta.dataset', 'UPDATE') AS may`);
    expect(row).toEqual({ may: false });
  } finally {
    await developer.end();
  }
  expect(codes(await ask())).toEqual([]);
});

(hasDebianServer() ? describe : describe.skip)('after pg_dump and a restore on another server', () => {
  it('the marker is there and holds, and the place is told', async () => {
    const elsewhere = await startTargetWorld({ binaries: debianProgram('').replace(/\/$/, '') });
    try {
      const first = await startDatasetOn(elsewhere);
      const dump = execFileSync(debianProgram('pg_dump'), ['--no-owner', first.url], { maxBuffer: 1 << 26 });
      await elsewhere.server.create('restored');
      execFileSync(debianProgram('psql'), ['-q', '-X', elsewhere.server.url('restored')], {
        input: dump,
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      expect(await ask({ url: elsewhere.server.url('restored') })).toMatchObject({
        state: 'valid',
        findings: [{ code: 'MARKER_RESTORED_ELSEWHERE', where: { name: 'restored', expected: 'shop' } }],
      });
      await elsewhere.server.sql('restored', `DELETE FROM person WHERE id = 2`);
      expect(codes(await ask({ url: elsewhere.server.url('restored') }))).toContain('DATASET_ROWS_DIFFER');
    } finally {
      await elsewhere.server.stop();
    }
  });
});

/** Signed as if it had been published on a server with another system identifier. */
async function startDatasetOn(elsewhere: TargetWorld): Promise<{ url: string }> {
  const target = elsewhere.target('shop');
  await (await stage(target)).publish({ systemIdentifier: '7' });
  await target.close();
  return { url: elsewhere.server.url('shop') };
}
