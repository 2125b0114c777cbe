import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Decrypter, generateIdentity, identityToRecipient } from 'age-encryption';

import { openFileKeys } from '../../src/systems/files/file-key-provider.js';
import type { TestServer } from '../support/server.js';
import { debianProgram, hasDebianServer } from '../support/debian-server.js';
import { type Ended, type SmallShop, startSmallShop, waitFor } from '../support/small-shop.js';

let shop: SmallShop;
let vendor: string;
let archive: string;
/** Another machine: a folder with nothing of the home but the public key of its log. */
let elsewhere: string;
beforeAll(async () => {
  shop = await startSmallShop();
  vendor = await generateIdentity();
  const recipient = await identityToRecipient(vendor);
  const text = readFileSync(shop.pipeline, 'utf8');
  writeFileSync(
    shop.pipeline,
    text.replace('class: dev,', `class: dev, clones: { max: 1, hours: 1 }, file: { recipients: [${recipient}] },`),
  );
  const made = await shop.bauta(['run', '-f', shop.pipeline]);
  expect(made).toMatchObject({ code: 0 });
  archive = join(archives(), readdirSync(archives())[0] ?? '');
  elsewhere = join(shop.folder, 'elsewhere');
  mkdirSync(elsewhere);
  copyFileSync(join(shop.home, 'log.pub'), join(elsewhere, 'log.pub'));
  writeFileSync(join(elsewhere, 'vendor.key'), `# made by a vendor\n${vendor}\n`);
}, 120_000);
afterAll(() => shop.stop());

const archives = (): string => join(shop.home, 'archives', 'default', 'dev', 'small-shop');

/** A new database on a server that no run has touched. */
async function createPlace(name: string): Promise<string> {
  await shop.source.sql('postgres', `CREATE DATABASE "${name}" TEMPLATE template0`);
  return shop.source.url(name);
}

function load(words: readonly string[], url?: string): Promise<Ended> {
  return shop.bauta(['load', archive, ...words, ...(url === undefined ? [] : ['--into', 'env:PLACE_URL'])], url ? { PLACE_URL: url } : {});
}

const asVendor = (): string[] => [
  '--home',
  join(elsewhere, 'home'),
  '--key',
  join(elsewhere, 'log.pub'),
  '--identity',
  `file:${join(elsewhere, 'vendor.key')}`,
];

/** Every row, sequence, constraint, index and view, as text. */
async function contentsOf(server: TestServer, database: string): Promise<unknown> {
  const rows = (table: string): string =>
    `(SELECT md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM ${table} t) AS "${table.replaceAll('"', '')}"`;
  const tables = ['shop.country', 'shop.customer', 'shop.order_2024', 'shop.order_rest', 'shop.recent'];
  const [digests] = await server.sql(database, `SELECT ${tables.map(rows).join(', ')}`);
  const sequences = await server.sql(database, `SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2`);
  const constraints = await server.sql(
    database,
    `SELECT conrelid::regclass::text AS relation, conname, convalidated, pg_get_constraintdef(oid) AS text FROM pg_constraint WHERE connamespace = 'shop'::regnamespace ORDER BY 1, 2`,
  );
  const indexes = await server.sql(database, `SELECT indexdef FROM pg_indexes WHERE schemaname = 'shop' ORDER BY 1`);
  return { digests, sequences, constraints, indexes };
}

it('is written by the run, sealed, for its owner only, and the log says which', () => {
  expect(readdirSync(archives())).toEqual([expect.stringMatching(/^v000001-[0-9a-z]+\.tar\.age$/)]);
  expect(statSync(archive).mode & 0o777).toBe(0o600);
  const bytes = readFileSync(archive);
  expect(bytes.toString('latin1')).toMatch(/^age-encryption\.org\/v1\n/);
  expect(bytes.includes('CREATE TABLE')).toBe(false);
  const told = shop.events().filter(({ type }) => type.startsWith('archive.'));
  expect(told.map(({ type }) => type)).toEqual(['archive.described', 'archive.written', 'archive.published']);
  expect(told[2]?.data).toMatchObject({ version: 1, keyVersion: 1, bytes: bytes.length, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
});

it('loads with the keys of the home as the very version that was published: rows, sequences, constraints, indexes, marker', async () => {
  const url = await createPlace('by_home');
  const loaded = await load(['--json'], url);
  expect(loaded).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(loaded.stdout)).toMatchObject({
    state: 'loaded',
    target: 'shop_dev',
    version: 1,
    environment: 'dev',
    database: 'by_home',
    tables: 4,
  });
  expect(await contentsOf(shop.source, 'by_home')).toEqual(await contentsOf(shop.target, 'shop_dev'));
  const attested = await shop.bauta(['attest', 'env:PLACE_URL', '--key', join(elsewhere, 'log.pub'), '--json'], { PLACE_URL: url });
  expect(attested.code).toBe(0);
  expect(JSON.parse(attested.stdout)).toMatchObject({ state: 'valid' });
});

it('opens for a vendor with an identity of his own, who has the public key of the log and nothing else of us', async () => {
  const url = await createPlace('by_vendor');
  expect(await load(asVendor(), url)).toMatchObject({ code: 0, stdout: expect.stringContaining('loaded into by_vendor and attested') });
  expect(await contentsOf(shop.source, 'by_vendor')).toEqual(await contentsOf(shop.target, 'shop_dev'));
});

it('is checked and not loaded where no key says who signed it, and refused where it is another key', async () => {
  const url = await createPlace('by_nobody');
  const words = ['--home', join(elsewhere, 'home'), '--identity', `file:${join(elsewhere, 'vendor.key')}`];
  expect(await load(words, url)).toMatchObject({ code: 5, stdout: expect.stringContaining('signer not checked') });
  const other = join(elsewhere, 'other.pub');
  writeFileSync(other, 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n');
  expect(await load([...words, '--key', other], url)).toMatchObject({ code: 2, stderr: expect.stringContaining('ARCHIVE_SIGNER_UNKNOWN') });
  expect(
    await shop.source.sql('by_nobody', `SELECT count(*)::int AS n FROM pg_class WHERE relnamespace = to_regnamespace('shop')`),
  ).toEqual([{ n: 0 }]);
});

it('does not open with the keys of another environment, nor with another identity', async () => {
  expect(await load(['--of', 'staging'])).toMatchObject({ code: 2, stderr: expect.stringContaining('ARCHIVE_KEY_UNKNOWN') });
  writeFileSync(join(elsewhere, 'stranger.key'), `${await generateIdentity()}\n`);
  const stranger = await load(['--identity', `file:${join(elsewhere, 'stranger.key')}`]);
  expect(stranger).toMatchObject({ code: 2, stderr: expect.stringContaining('ARCHIVE_KEY_UNKNOWN') });
});

it('goes into no database that has something in it, and into none that is called like production unless its name is said twice', async () => {
  const url = await createPlace('taken');
  await shop.source.sql('taken', 'CREATE TABLE public.mine (id int); INSERT INTO public.mine VALUES (1)');
  expect(await load(['--of', 'dev'], url)).toMatchObject({ code: 2, stderr: expect.stringContaining('ARCHIVE_TARGET_NOT_EMPTY') });
  expect(await shop.source.sql('taken', 'SELECT id FROM public.mine')).toEqual([{ id: 1 }]);
  expect(await load(['--of', 'dev'], shop.source.url('postgres'))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('ARCHIVE_TARGET_NAME'),
  });
  const live = await createPlace('shop-live');
  expect(await load(['--of', 'dev'], live)).toMatchObject({ code: 2, stderr: expect.stringContaining('ARCHIVE_TARGET_NAME') });
  expect((await load(['--of', 'dev', '--confirm', 'shop-live'], live)).code).toBe(0);
});

it('leaves nothing where a statement is refused in the middle, and nothing where the loading process is killed', async () => {
  const url = await createPlace('refused');
  await shop.source.sql(
    'refused',
    `CREATE FUNCTION pg_catalog.stop_it() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN IF tg_tag = 'CREATE VIEW' THEN RAISE 'no views'; END IF; END $$;
    CREATE EVENT TRIGGER no_views ON ddl_command_start EXECUTE FUNCTION pg_catalog.stop_it()`,
  );
  const refused = await load(['--of', 'dev'], url);
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('ARCHIVE_STATEMENT_FAILED') });
  expect(refused.stderr).not.toContain('no views');
  expect(
    await shop.source.sql('refused', `SELECT to_regnamespace('shop') IS NULL AS gone, to_regnamespace('bauta') IS NULL AS unmarked`),
  ).toEqual([{ gone: true, unmarked: true }]);

  const killed = await createPlace('killed');
  const started = shop.start(['load', archive, '--of', 'dev', '--into', 'env:PLACE_URL'], { PLACE_URL: killed });
  await waitFor(async () => {
    const [row] = await shop.source.sql(
      'postgres',
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = 'killed' AND xact_start IS NOT NULL AND query ~ '^(COPY|CREATE|BEGIN)'`,
    );
    return Number(row?.['n']) > 0;
  });
  started.child.kill('SIGKILL');
  await started.ended;
  await waitFor(
    async () => (await shop.source.sql('postgres', `SELECT 1 AS one FROM pg_stat_activity WHERE datname = 'killed'`)).length === 0,
  );
  expect(await shop.source.sql('killed', `SELECT to_regnamespace('shop') IS NULL AS gone`)).toEqual([{ gone: true }]);
  expect((await load(['--of', 'dev'], killed)).code).toBe(0);
});

(hasDebianServer() ? describe : describe.skip)('with psql and gzip alone, and a server that has never seen Bauta', () => {
  it('is restored whole, and not at all when a file of it is cut', async () => {
    const folder = join(elsewhere, 'unpacked');
    mkdirSync(folder);
    const decrypter = new Decrypter();
    decrypter.addIdentity(vendor);
    const tar = join(elsewhere, 'archive.tar');
    writeFileSync(tar, await decrypter.decrypt(readFileSync(archive)));
    execFileSync('tar', ['-xf', tar, '-C', folder]);
    const path = `${debianProgram('')}:${process.env['PATH'] ?? ''}`;
    const restore = (url: string): unknown =>
      execFileSync('sh', [join(folder, 'restore.sh'), '-d', url], { env: { PATH: path }, stdio: 'pipe' });

    const url = await createPlace('by_psql');
    restore(url);
    expect(await contentsOf(shop.source, 'by_psql')).toEqual(await contentsOf(shop.target, 'shop_dev'));
    const attested = await shop.bauta(['attest', 'env:PLACE_URL', '--key', join(elsewhere, 'log.pub')], { PLACE_URL: url });
    expect(attested).toMatchObject({ code: 0 });

    const [part = ''] = readdirSync(join(folder, 'data')).filter((name) => statSync(join(folder, 'data', name)).size > 10_000);
    const bytes = readFileSync(join(folder, 'data', part));
    writeFileSync(join(folder, 'data', part), bytes.subarray(0, bytes.length / 2));
    const half = await createPlace('half');
    expect(() => restore(half)).toThrow();
    expect(await shop.source.sql('half', `SELECT to_regnamespace('shop') IS NULL AS gone`)).toEqual([{ gone: true }]);
  });

  it('loads from the tar inside too', async () => {
    archive = join(elsewhere, 'archive.tar');
    const url = await createPlace('from_tar');
    expect(await load(['--key', join(elsewhere, 'log.pub')], url)).toMatchObject({ code: 0 });
    expect(existsSync(archive)).toBe(true);
  });
});

it('opens with no key of the home once that version of the transport key is destroyed, and still for a recipient that the pipeline named', async () => {
  archive = join(archives(), readdirSync(archives())[0] ?? '');
  const keys = openFileKeys(join(shop.home, 'keys'))({ purpose: 'transport', workspace: 'default', environment: 'dev' });
  await keys.rotate();
  expect((await load(['--of', 'dev'])).code).toBe(0);
  await keys.destroyUpTo(1);
  expect(await load(['--of', 'dev'])).toMatchObject({ code: 2, stderr: expect.stringContaining('ARCHIVE_KEY_UNKNOWN') });
  expect((await load(asVendor())).code).toBe(0);
});
