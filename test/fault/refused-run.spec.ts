import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { RunSummary } from '../../src/pipeline/report/report.js';
import { logTextOf } from '../support/log.js';
import { type Ended, type SmallShop, nothing, startSmallShop, waitFor } from '../support/small-shop.js';
import { mountTinyDisk } from '../support/tiny-disk.js';

let shop: SmallShop;
beforeAll(async () => (shop = await startSmallShop()), 60_000);
afterAll(() => shop.stop());

const run = (environment: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  shop.bauta(['run', '-f', shop.pipeline, '--json'], environment);

async function expectNothingLeft(): Promise<void> {
  await waitFor(async () => (await shop.traces()).sessions === 0);
  expect(await shop.traces()).toEqual(nothing);
}

describe('a source that is no longer as planned is PLAN_STALE before a row is read:', () => {
  it.each([
    ['a table is dropped', 'DROP VIEW shop.recent; DROP TABLE shop.order_rest'],
    [
      'two columns change their names',
      'ALTER TABLE shop.customer RENAME email TO x; ALTER TABLE shop.customer RENAME phone TO email; ALTER TABLE shop.customer RENAME x TO phone',
    ],
    ['a column is added', 'ALTER TABLE shop.customer ADD COLUMN secret text'],
  ])('%s', async (_, change) => {
    await shop.source.sql('postgres', 'CREATE DATABASE kept TEMPLATE production');
    const { child, ended } = await shop.block('border:source');
    await shop.source.sql('production', change);
    child.kill('SIGUSR2');
    const { stdout } = await ended;
    expect(stdout).toContain('failed PLAN_STALE\n');
    expect(shop.events().some(({ type }) => type === 'snapshot.opened')).toBe(false);
    await expectNothingLeft();
    await shop.source.sql('postgres', 'DROP DATABASE production WITH (FORCE)');
    await shop.source.sql('postgres', 'ALTER DATABASE kept RENAME TO production');
  });
});

it('a value that its transform refuses ends the run with its place and never shows itself', async () => {
  await shop.source.sql('production', `UPDATE shop.customer SET born = '1985-02-31' WHERE id = 77`);
  const { code, stdout, stderr } = await run();
  await shop.source.sql('production', `UPDATE shop.customer SET born = '1985-02-28' WHERE id = 77`);
  expect({ code, stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/error: MASK_VALUE_REFUSED: row \d+ .* of shop\.customer holds a value in born/),
  });
  expect(stdout + stderr).not.toContain('1985-02-31');
  expect(logTextOf(shop.home)).not.toContain('1985-02-31');
  expect(JSON.parse(stdout)).toMatchObject({ state: 'failed', dataset: null });
  await expectNothingLeft();
});

it('a target on which nothing may be written is refused before a row is read', async () => {
  await shop.target.sql('postgres', 'ALTER ROLE bauta_target SET default_transaction_read_only = on');
  const { code, stdout, stderr } = await run();
  await shop.target.sql('postgres', 'ALTER ROLE bauta_target RESET default_transaction_read_only');
  expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining('SERVER_READ_ONLY') });
  expect((JSON.parse(stdout) as RunSummary).findings.map((finding) => finding.code)).toEqual(['SERVER_READ_ONLY']);
  await expectNothingLeft();
});

it("somebody else's database of the target's name is never replaced", async () => {
  await shop.target.sql('postgres', 'CREATE DATABASE shop_dev');
  const { code, stderr } = await run();
  expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining('TARGET_NOT_OURS') });
  expect((await shop.traces()).databases).toEqual(['shop_dev']);
  await shop.target.sql('postgres', 'DROP DATABASE shop_dev');
  await expectNothingLeft();
});

it('a key file that was replaced is refused at plan, before a row is read', async () => {
  const home = join(shop.folder, 'rekeyed');
  expect((await run({ BAUTA_HOME: home })).code).toBe(0);
  const [key, before] = [join(home, 'keys', 'masking', 'default', 'dev', 'v1.key'), await shop.published()];
  writeFileSync(key, `${Buffer.alloc(32, 7).toString('base64')}\n`);
  const { code, stdout, stderr } = await run({ BAUTA_HOME: home });
  expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining('KEY_CHANGED') });
  expect((JSON.parse(stdout) as RunSummary).findings.map((finding) => finding.code)).toEqual(['KEY_CHANGED']);
  expect(await shop.published()).toEqual(before);
  for (const name of (await shop.traces()).databases) await shop.target.sql('postgres', `DROP DATABASE "${String(name)}" WITH (FORCE)`);
  await shop.bauta(['doctor', '-f', shop.pipeline, '--fix']);
  await expectNothingLeft();
});

it('a role of somebody else that has the name of one of ours is never used', async () => {
  await shop.target.sql('postgres', 'CREATE ROLE shop_dev_owner NOLOGIN');
  const { code, stderr } = await run();
  await shop.target.sql('postgres', 'DROP ROLE shop_dev_owner');
  expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining('TARGET_ROLE_CLASH') });
  await expectNothingLeft();
});

it('a log that cannot be written stops the run before anything is done', async () => {
  const home = join(shop.folder, 'unwritable');
  mkdirSync(home);
  writeFileSync(join(home, 'log'), '');
  const { code, stdout, stderr } = await run({ BAUTA_HOME: home });
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('error: AUDIT_UNWRITABLE:') });
  expect(() => JSON.parse(stdout) as unknown).not.toThrow();
  await expectNothingLeft();
});

it.each([
  ['a wrong password', 'SOURCE_URL', (url: string) => url.replace('a%20password', 'wrong'), 'CONNECTION_REFUSED_LOGIN', 3],
  ['a wrong password', 'TARGET_URL', (url: string) => url.replace('a%20password', 'wrong'), 'CONNECTION_REFUSED_LOGIN', 3],
  ['nobody at the port', 'SOURCE_URL', (url: string) => url.replace(/:\d+\//, ':1/'), 'CONNECTION_UNREACHABLE', 1],
  ['a database that is not there', 'SOURCE_URL', (url: string) => url.replace('/production', '/nowhere'), 'DATABASE_MISSING', 3],
])('%s in %s is one clear error', async (_, name, change, expected, exitCode) => {
  const changed = change(shop.environment[name] ?? '');
  expect(changed).not.toBe(shop.environment[name]);
  const { code, stdout, stderr } = await run({ [name]: changed });
  expect({ code, stderr }).toMatchObject({ code: exitCode, stderr: expect.stringContaining(`error: ${expected}:`) });
  expect(JSON.parse(stdout)).toMatchObject({ state: 'failed' });
  expect(stderr).toContain(`env:${name}`);
  await expectNothingLeft();
});

const disk = mountTinyDisk('the disk of the target that is full');
const withDisk = disk ? describe : describe.skip;

withDisk('a full disk at the target', () => {
  beforeAll(async () => {
    const place = join(disk?.folder ?? '', 'space');
    mkdirSync(place);
    const nobody =
      readFileSync('/etc/passwd', 'utf8')
        .split('\n')
        .find((line) => line.startsWith('nobody:'))
        ?.split(':') ?? [];
    chownSync(place, Number(nobody[2]), Number(nobody[3]));
    chmodSync(place, 0o700);
    await shop.target.sql('postgres', `CREATE TABLESPACE tiny LOCATION '${place}'`);
    await shop.target.sql('postgres', 'GRANT CREATE ON TABLESPACE tiny TO PUBLIC');
    // For every role: the one that loads is made for the run.
    await shop.target.sql('postgres', 'ALTER SYSTEM SET default_tablespace = tiny');
    await shop.target.sql('postgres', 'SELECT pg_reload_conf()');
  });

  afterAll(async () => {
    await shop.target.sql('postgres', 'ALTER SYSTEM RESET default_tablespace');
    await shop.target.sql('postgres', 'SELECT pg_reload_conf()');
    await shop.target.sql('postgres', 'DROP TABLESPACE tiny');
    disk?.unmount();
  });

  it('ends the run with SERVER_DISK_FULL and leaves nothing', async () => {
    const { code, stdout, stderr } = await run();
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('error: SERVER_DISK_FULL:') });
    expect(JSON.parse(stdout)).toMatchObject({ state: 'failed', dataset: null });
    await expectNothingLeft();
  });
});

it('a source that is stopped while rows move ends the run, and nothing is left at the target', async () => {
  const { ended } = shop.start(['run', '-f', shop.pipeline, '--json'], { BAUTA_SOURCE_ROWS_PER_SECOND: '1500' });
  const moving = `SELECT 1 FROM pg_stat_progress_copy WHERE command = 'COPY FROM' AND tuples_processed > 0`;
  await waitFor(async () => (await shop.target.sql('postgres', moving)).length > 0);
  await shop.source.stop();
  const { code, stdout, stderr } = await ended;
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('error: CONNECTION_LOST:') });
  expect(JSON.parse(stdout)).toMatchObject({ state: 'failed', dataset: null });
  expect(await shop.published()).toBeUndefined();
  const left = await shop.target.sql('postgres', `SELECT datname FROM pg_database WHERE datname ~ 'bauta'`);
  expect(left).toEqual([]);
});
