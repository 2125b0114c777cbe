// The short form: `node dist-test/test/soak/reconcile.js` does the same with 10,000 runs.
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { renderPackaged } from '../../src/control/render-report.js';
import { readProduct } from '../../src/control/product.js';
import { verifyPackage } from '../../src/control/verify-package.js';
import { type Verifier, formatVerifierKey } from '../../src/kernel/signed-note.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { readEntries, verifyChain } from '../../src/pipeline/audit/audit.js';
import type { LoggedEvent } from '../../src/pipeline/event.js';
import { type Reconciled, counterpartNames, counterparts, notHeld, populations, reconcile } from '../../src/pipeline/report/report.js';
import { ZipReader, ZipWriter } from '../../src/systems/zip/zip.js';
import { type Recorded, count, logOf, pack, period, readRows, record, toPages } from './reconcile.js';

const RUNS = 100;
const cli = fileURLToPath(new URL('../../src/cli.js', import.meta.url));
let recorded: Recorded;
let path: string;
let verifier: Verifier;

const look = async (
  entries: AsyncIterable<LoggedEvent> = readEntries(logOf(recorded)),
): Promise<Readonly<Record<string, readonly string[]>>> => {
  const found = await reconcile(entries, toPages(await readRows(recorded)), Date.now());
  const apart = (one: Reconciled): readonly string[] =>
    one.held
      .flatMap(({ table, apart: ids, changed }) => [
        ...ids.map(({ id, missing }) => `${missing} ${table} ${id}`),
        ...changed.flatMap(({ id, columns }) => columns.map((column) => `${column} of ${table} ${id}`)),
      ])
      .sort();
  return Object.fromEntries(found.map((one) => [one.population, apart(one)] as const).filter(([, ids]) => ids.length > 0));
};
const codesOf = async (file: string): Promise<readonly string[]> =>
  (await verifyPackage(file, { verifier, version: readProduct().version, render: renderPackaged })).findings.map(
    ({ code, where }) => `${code} ${where.file ?? ''}`,
  );

async function bauta(...words: readonly string[]): Promise<{ status: number; stdout: string }> {
  const env = { PATH: process.env['PATH'], BAUTA_HOME: join(recorded.folder, 'home'), AUDITOR: recorded.auditor };
  const key = join(recorded.folder, 'log.pub');
  writeFileSync(key, `${formatVerifierKey(verifier)}\n`);
  const all = ['report', 'reconcile', '--key', key, '--server', recorded.world.url, '--token', 'env:AUDITOR', ...words];
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...all], { env, maxBuffer: 1 << 26 }, (error, stdout) =>
      resolve({ status: error ? Number(error.code) : 0, stdout }),
    );
  });
}

beforeAll(async () => {
  recorded = await record(RUNS);
  const { world } = recorded;
  verifier = (await world.metadata.within(world.workspaces.home, ({ log }) => log.verifier()))!;
  path = await pack(recorded);
}, 120_000);
afterAll(() => recorded?.stop());

it('has as many rows in each list as the leaves of the log give, and the tables of the service, and says what the log alone has', async () => {
  const all = await count(recorded, path);
  for (const { population, items, csv, log, held, apartFromCsv } of all) {
    expect([population, csv > 0, items, log, apartFromCsv]).toEqual([population, true, csv, csv, []]);
    for (const { table, told, rows, apart, changed } of held)
      expect([population, table, told, apart, changed]).toEqual([population, table, rows, [], []]);
  }
  expect(all.find(({ population }) => population === 'runs')).toMatchObject({ csv: RUNS, held: [{ rows: RUNS }] });
  expect(all.filter(({ held }) => held.length === 0).map(({ population }) => population)).toEqual([
    ...['plan-decisions', 'tables', 'effectiveness-tests', 'privacy-measures', 'drift', 'erasure-requests', 'erasures', 'keys'],
    ...['token-exchanges', 'breaches', 'intents', 'refusals', 'archives', 'policy-bundles', 'copies-watched', 'late-runs'],
  ]);
  expect(await codesOf(path)).toEqual([]);
});

it('is told by the command line to an auditor, who computes it out of the log himself', async () => {
  const { status, stdout } = await bauta();
  expect([status, stdout]).toEqual([0, expect.stringMatching(/^runs +100 +run +100 +100 +0 +0$/m)]);
  expect(stdout).toMatch(/^plan-decisions +100 +the log alone has it$/m);
  expect(stdout).toMatch(/^not held against the log: kept tokens: .* \(token_entry\)$/m);
  expect(stdout).toMatch(/0 rows or entries missing, 0 rows changed; 16 populations the log alone has$/m);
}, 60_000);

it('has every table of the service held against the log, or says that it is not', async () => {
  const all = await recorded.world.sql(`SELECT tablename FROM pg_tables WHERE schemaname = 'bauta' AND tablename <> 'migration'`);
  const held = [...new Set(counterpartNames.map((name) => counterparts[name].table))];
  expect([...held, ...notHeld.flatMap(({ tables }) => tables)].sort()).toEqual(all.map(({ tablename }) => String(tablename)).sort());
});

it('reads the same rows by pages of any size', async () => {
  const inOrder = (rows: Awaited<ReturnType<typeof readRows>>): readonly (readonly [string, readonly string[]])[] =>
    [...rows].map(([name, found]) => [name, found.map(({ id }) => id).sort()]);
  expect(inOrder(await readRows(recorded, 2))).toEqual(inOrder(await readRows(recorded)));
});

it('finds a row of which no entry tells, of every kind', async () => {
  const all = await readRows(recorded);
  const entries = readEntries(logOf(recorded));
  const { value: first } = (await entries.next()) as { value: LoggedEvent };
  // All that the log has: it began long ago, and tells of nothing since.
  const found = await look(toEntries([{ ...first, event: { ...first.event, at: period.from } }]));
  for (const name of counterpartNames) {
    const {
      populations: [population],
      table,
    } = counterparts[name];
    const owed = all.get(name)!.filter((row) => row.owed);
    expect([name, owed.length]).not.toEqual([name, 0]);
    for (const { id } of owed) expect(found[population]).toContain(`entry ${table} ${id}`);
  }
});

it('finds a row that somebody took out of any list in the package', async () => {
  const zip = (await ZipReader.open(path))!;
  const contents = new Map<string, Buffer>();
  for (const name of zip.entries.keys()) contents.set(name, (await zip.read(name))!);
  await zip.close();
  const lists = [...contents].filter(([name, bytes]) => name.endsWith('.csv') && bytes.toString().split('\r\n').length > 2);
  expect(populations.filter(({ name }) => !lists.some(([list]) => list === `populations/${name}.csv`))).toEqual([]);
  const file = join(recorded.folder, 'less.zip');
  const writer = await ZipWriter.open();
  for (const [entry, whole] of contents) {
    const lines = whole.toString().split('\r\n');
    await writer.add(entry, lists.some(([name]) => name === entry) ? Buffer.from([...lines.slice(0, 1), ...lines.slice(2)].join('\r\n')) : whole); // prettier-ignore
  }
  await writer.write(file);
  await writer.close();
  const codes = await codesOf(file);
  for (const [name] of lists) expect(codes).toContain(`PACKAGE_FILE_CHANGED ${name}`);
}, 60_000);

it('finds a leaf that somebody took out of the log’s table, of whichever population, and names the place', async () => {
  const { world } = recorded;
  const { read, list } = logOf(recorded);
  const of = `workspace_id = '${world.workspaces.home}'`;
  for (const { name, types } of populations) {
    const [leaf] = await world.sql(
      `SELECT position FROM bauta.audit_leaf WHERE ${of} AND type IN (${types.map((type) => `'${type}'`).join(', ')}) ORDER BY position LIMIT 1`,
    );
    const here = `${of} AND position = ${Number(leaf?.['position'])}`;
    await world.sql(`CREATE TABLE public.kept AS SELECT * FROM bauta.audit_leaf WHERE ${here}; DELETE FROM bauta.audit_leaf WHERE ${here}`);
    const { findings } = await verifyChain({ read, list }, { known: [], verifier });
    expect([name, findings.map(({ code }) => code)]).toEqual([name, expect.arrayContaining(['LOG_ENTRIES_MISSING'])]);
    if (name === 'runs') await expect(pack(recorded)).rejects.toMatchObject({ code: 'LOG_NOT_WHOLE' });
    await world.sql('INSERT INTO bauta.audit_leaf SELECT * FROM public.kept; DROP TABLE public.kept');
  }
  expect((await verifyChain({ read, list }, { known: [], verifier })).findings).toEqual([]);
}, 120_000);

/** What a column is called in its table, where it is told by a yes or no. */
const storedAs: Readonly<Record<string, string>> = { revoked: 'revoked_at', erased: 'erased_at', dropped: 'dropped_as' };

/** What else may stand there: by the constraints of the table, or by the type of the column. */
const others: Readonly<Record<string, string>> = {
  ...{
    'run.state': `'failed'`,
    'approval.state': `'refused'`,
    'callback.state': `'dead'`,
    'callback.via': `'gitlab'`,
    'notification.state': `'dead'`,
    'incident_step.state': `'failed'`,
  },
  ...{ 'access_review_item.kind': `'apikey'`, 'access_review_item.decision': `'keep'`, 'access_review_item.effect': `'done'` },
  ...{ 'evidence.subject_kind': `'image'`, 'waiver.scope_kind': `'image'`, 'incident.outcome': `'false-alarm'` },
  ...{ uuid: 'gen_random_uuid()', ARRAY: 'ARRAY[gen_random_uuid(), gen_random_uuid()]', text: `'other'`, bytea: `sha256('other')` },
};
/** What has to go with it. */
const besides: Readonly<Record<string, string>> = {
  'access_review_item.decision': 'decided_at = now()',
  'waiver.ended_by': 'ended_at = now()',
  'agent.revoked_by': 'revoked_at = now()',
  'daily_report.made_at': `files = '[]'`,
};

/** Of one row of each table every column that is compared, by SQL of a superuser; gives the columns of each table. */
async function changeRows(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const { world } = recorded;
  const types = new Map(
    (
      await world.sql(
        `SELECT table_name || '.' || column_name AS name, data_type FROM information_schema.columns WHERE table_schema = 'bauta'`,
      )
    ).map(({ name, data_type: type }) => [String(name), String(type)]),
  );
  const tables = new Map<string, Set<string>>();
  for (const name of counterpartNames) {
    const { table, columns } = counterparts[name];
    if (columns.length > 0) tables.set(table, new Set([...(tables.get(table) ?? []), ...columns]));
  }
  for (const [table, columns] of tables) {
    const sets = [...columns].flatMap((one) => {
      const [column, at] = [storedAs[one] ?? one, `${table}.${one}`];
      const type = types.get(`${table}.${column}`) ?? '';
      const other = { boolean: `NOT ${column}`, integer: `${column} + 1`, 'timestamp with time zone': `coalesce(${column}, now()) + interval '1 minute'` }[type]; // prettier-ignore
      return [`${column} = ${others[at] ?? other ?? others[type]}`, ...(besides[at] === undefined ? [] : [besides[at]])];
    });
    const only = table === 'run' ? `WHERE due_at IS NOT NULL AND state = 'published'` : table === 'clone' ? `WHERE state = 'ready'` : '';
    await world.sql(
      `SET session_replication_role = replica; UPDATE bauta.${table} SET ${sets.join(', ')} WHERE ctid = (SELECT ctid FROM bauta.${table} ${only} LIMIT 1)`,
    );
  }
  return tables;
}

it('finds what somebody wrote into any column of any table that the log tells of, by the id and the column, and says no value', async () => {
  expect(await look()).toEqual({});
  const before = await readRows(recorded);
  const tables = await changeRows();
  const after = await readRows(recorded);
  const found = await look();
  const other: Record<string, string[]> = {};
  for (const name of counterpartNames) {
    const { populations: [population], table, columns } = counterparts[name]; // prettier-ignore
    const was = new Map(before.get(name)!.map(({ id, says }) => [id, says]));
    const changed = after.get(name)!.flatMap(({ id, says = {} }) => columns.filter((one) => says[one] !== was.get(id)?.[one]).map((one) => `${one} of ${table} ${id}`)); // prettier-ignore
    expect([name, changed.length]).toEqual([name, columns.length]);
    other[population] = [...(other[population] ?? []), ...changed].sort();
  }
  expect(found).toEqual(Object.fromEntries(Object.entries(other).filter(([, ids]) => ids.length > 0)));
  expect(tables.size).toBeGreaterThan(25);
}, 120_000);

it('finds a row that somebody took out of any table of the service, by its id', async () => {
  const { world } = recorded;
  const missing = async (): Promise<Readonly<Record<string, readonly string[]>>> =>
    Object.fromEntries(
      Object.entries(await look())
        .map(([name, ids]) => [name, ids.filter((one) => one.startsWith('row ') || one.startsWith('entry '))] as const)
        .filter(([, ids]) => ids.length > 0),
    );
  expect(await missing()).toEqual({});
  const before = await readRows(recorded);
  for (const table of new Set(counterpartNames.map((name) => counterparts[name].table)))
    await world.sql(
      `SET session_replication_role = replica; DELETE FROM bauta.${table} WHERE ctid = (SELECT ctid FROM bauta.${table}${table === 'run' ? ' WHERE due_at IS NOT NULL' : ''} LIMIT 1)`,
    );
  const after = await readRows(recorded);
  const gone: Record<string, readonly string[]> = {};
  for (const name of counterpartNames) {
    const {
      populations: [population],
      table,
      keptDays,
    } = counterparts[name];
    const left = new Set(after.get(name)!.map(({ id }) => id));
    const ids = before.get(name)!.filter(({ id }) => !left.has(id));
    expect([name, ids.length]).toEqual([name, 1]);
    // What the service itself takes away when it has ended is not missed.
    if (keptDays !== 0) gone[population] = [...(gone[population] ?? []), ...ids.map(({ id }) => `row ${table} ${id}`)].sort();
  }
  expect(await missing()).toEqual(gone);
  const { status, stdout } = await bauta('--json');
  const told = JSON.parse(stdout) as { findings: { code: string; where: { table: string; object: string; column?: string } }[] };
  const schema = JSON.parse(readFileSync(packageFile('docs', 'schema', 'output-report-reconcile.json'), 'utf8')) as object;
  const validate = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(schema);
  expect([status, validate(told), validate.errors]).toEqual([1, true, null]);
  const codes = told.findings.map(
    ({ code, where }) => `${code} ${where.table} ${where.object}${where.column === undefined ? '' : `.${where.column}`}`,
  );
  const isMissing = (one: string): boolean => one.startsWith('ROW_MISSING');
  expect(codes.filter(isMissing).sort()).toEqual(Object.values(gone).flat().map((one) => one.replace('row', 'ROW_MISSING')).sort()); // prettier-ignore
  expect(codes.filter((one) => !isMissing(one)).sort()).toEqual(
    Object.values(await look()).flat().flatMap((one) => {
      const [, column, row] = / of /.test(one) ? (/^(\S+) of (.*)$/.exec(one) ?? []) : [];
      return column === undefined ? [] : [`ROW_CHANGED ${row}.${column}`];
    }).sort(), // prettier-ignore
  );
  // Where, and never what.
  expect(stdout).not.toMatch(/"other"/);
}, 60_000);

async function* toEntries(entries: readonly LoggedEvent[]): AsyncGenerator<LoggedEvent> {
  for (const entry of entries) yield await Promise.resolve(entry);
}
