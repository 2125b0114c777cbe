// The short form: `node dist-test/test/soak/reconcile.js` does the same with 10,000 runs.
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { renderPackaged } from '../../src/control/render-report.js';
import { readProduct } from '../../src/control/product.js';
import { verifyPackage } from '../../src/control/verify-package.js';
import type { Verifier } from '../../src/kernel/signed-note.js';
import { verifyChain } from '../../src/pipeline/audit/audit.js';
import { ZipReader, ZipWriter } from '../../src/systems/zip/zip.js';
import { type Recorded, type Reconciled, pack, reconcile, record } from './reconcile.js';

const RUNS = 300;
let recorded: Recorded;
let path: string;
let verifier: Verifier;

const apart = async (): Promise<readonly (readonly [string, readonly string[]])[]> =>
  (await reconcile(recorded, path)).filter((one) => one.apart.length > 0).map((one) => [one.population, one.apart] as const);
const codesOf = async (file: string): Promise<readonly string[]> =>
  (await verifyPackage(file, { verifier, version: readProduct().version, render: renderPackaged })).findings.map(
    ({ code, where }) => `${code} ${where.file ?? ''}`,
  );

beforeAll(async () => {
  recorded = await record(RUNS);
  const { world } = recorded;
  verifier = (await world.metadata.within(world.workspaces.home, ({ log }) => log.verifier()))!;
  path = await pack(recorded);
}, 120_000);
afterAll(() => recorded?.stop());

it('has as many rows in each population as the leaves of the log give, and the tables of the service', async () => {
  const all = await reconcile(recorded, path);
  expect(all.length).toBeGreaterThan(20);
  for (const { population, csv, log, database, apart: ids } of all)
    expect([population, csv, database ?? csv, ids]).toEqual([population, log, log, []]);
  const of = (name: string): Partial<Reconciled> => all.find(({ population }) => population === name) ?? {};
  expect([of('runs').csv, of('runs').database]).toEqual([RUNS, RUNS]);
  for (const name of ['versions', 'approvals', 'plan-decisions', 'tables']) expect([name, of(name).csv]).not.toEqual([name, 0]);
  expect(await codesOf(path)).toEqual([]);
});

it('finds a row that somebody took out of a table of the service, by its id', async () => {
  const { world } = recorded;
  const take = async (table: string, id: string): Promise<string> => {
    const [row] = await world.sql(
      `SET session_replication_role = replica; DELETE FROM ${table} WHERE ctid = (SELECT ctid FROM ${table} ORDER BY ${id} LIMIT 1) RETURNING ${id}::text AS id`,
    );
    return String(row?.['id']);
  };
  expect(await apart()).toEqual([]);
  const gone = [await take('bauta.approval', 'id'), await take('bauta.dataset_version', 'run_id'), await take('bauta.run', 'id')];
  expect(Object.fromEntries(await apart())).toEqual({ approvals: [gone[0]], versions: [gone[1]], runs: [gone[2]] });
});

it('finds a row that somebody took out of any list in the package', async () => {
  const zip = (await ZipReader.open(path))!;
  const contents = new Map<string, Buffer>();
  for (const name of zip.entries.keys()) contents.set(name, (await zip.read(name))!);
  await zip.close();
  const lists = [...contents].filter(([name, bytes]) => name.endsWith('.csv') && bytes.toString().split('\r\n').length > 2);
  expect(lists.length).toBeGreaterThan(8);
  for (const [name, bytes] of lists) {
    const lines = bytes.toString().split('\r\n');
    const file = join(recorded.folder, 'less.zip');
    const writer = await ZipWriter.open();
    for (const [entry, whole] of contents)
      await writer.add(entry, entry === name ? Buffer.from([...lines.slice(0, 1), ...lines.slice(2)].join('\r\n')) : whole);
    await writer.write(file);
    await writer.close();
    expect(await codesOf(file)).toContain(`PACKAGE_FILE_CHANGED ${name}`);
  }
}, 60_000);

it('finds a leaf that somebody took out of the log’s table, wherever it stood', async () => {
  const { world } = recorded;
  const [{ n } = { n: 0 }] = await world.sql(
    `SELECT count(*)::int AS n FROM bauta.audit_leaf WHERE workspace_id = '${world.workspaces.home}'`,
  );
  const read = (wanted: string): Promise<Buffer | undefined> =>
    world.metadata.within(world.workspaces.home, ({ log }) => log.files().read(wanted));
  const list = (wanted: string): Promise<readonly string[]> =>
    world.metadata.within(world.workspaces.home, ({ log }) => log.files().list(wanted));
  for (const position of [Math.floor(Number(n) / 2), 0]) {
    await world.sql(`DELETE FROM bauta.audit_leaf WHERE workspace_id = '${world.workspaces.home}' AND position = ${position}`);
    const { findings } = await verifyChain({ read, list }, { known: [], verifier });
    expect(findings.map(({ code }) => code)).toContain('LOG_ENTRIES_MISSING');
  }
  await expect(pack(recorded)).rejects.toMatchObject({ code: 'LOG_NOT_WHOLE' });
}, 60_000);
