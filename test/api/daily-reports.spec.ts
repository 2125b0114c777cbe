// The report of each day: made once whatever becomes of who makes it, kept with its digests, and the same that an auditor computes afterwards.
import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { parseSettings } from '../../src/config/settings.js';
import { DailyReportClock, ReportMaker } from '../../src/control/reports/reports.js';
import { ZipReader } from '../../src/systems/zip/zip.js';
import { type ServiceWorld, startServiceWorld } from '../support/service.js';

const cli = fileURLToPath(new URL('../../src/cli.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'bauta-daily-reports-'));
const kept = join(folder, 'kept');
const settings = parseSettings({ BAUTA_DAILY_REPORTS: kept, BAUTA_RATE_ADDRESS: '0', BAUTA_RATE_TOKEN: '0' });
const DAY_MS = 86_400_000;
const midnight = Math.floor(Date.now() / DAY_MS) * DAY_MS + DAY_MS;
const dayOf = (days: number): string => new Date(midnight + (days - 1) * DAY_MS).toISOString().slice(0, 10);
const later = { ms: midnight };

let world: ServiceWorld;
let makers: ReportMaker[];
let replicas: DailyReportClock[];
let [auditor, bob] = ['', ''];
beforeAll(async () => {
  mkdirSync(kept);
  world = await startServiceWorld(undefined, undefined, {}, { settings });
  await world.startSequencer();
  bob = await world.person('bob', ['policy-admin']);
  auditor = await world.person('ada', ['auditor']);
  const json = { kind: 'Organisation', name: 'acme', legalName: 'Acme GmbH', acts: 'controller', contact: 'privacy@acme.example' };
  expect((await world.ask('POST', '/v1/apply', { token: bob, json })).status).toBe(200);
  makers = [1, 2, 3].map(() => new ReportMaker({ url: world.urls.service, environment: process.env, witnesses: '', atOnce: 1 }));
  const failed = (error: unknown): void => void process.stderr.write(`daily: ${String(error)}\n`);
  replicas = makers.map(
    (maker) => new DailyReportClock({ metadata: world.metadata, settings, maker, clock: { now: () => later.ms }, failed, lookMs: 0 }),
  );
  for (;;) if ((await world.sql('SELECT FROM bauta.outbox')).length === 0) break;
}, 60_000);
afterAll(async () => {
  for (const replica of replicas) await replica.stop();
  for (const maker of makers) await maker.close();
  await world.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Daily {
  readonly day: string;
  readonly from: string;
  readonly to: string;
  readonly state: string;
  readonly code: string | null;
  readonly files: readonly { readonly name: string; readonly sha256: string }[];
}

const listed = async (): Promise<Daily[]> => (await world.ask('GET', '/v1/reports', { token: auditor })).body['items'] as Daily[];
const lookAll = (): Promise<void[]> => Promise.all(replicas.map((replica) => replica.look()));
const countOf = async (type: string, day: string): Promise<number> =>
  (await world.told(type)).filter(({ data }) => data['day'] === day).length;

function bauta(...words: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env['PATH'], BAUTA_HOME: join(folder, 'elsewhere'), AUDITOR: auditor };
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...words], { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

it('waits until the day is over, and is then made once by one of three', async () => {
  await lookAll();
  expect(await listed()).toEqual([]);
  later.ms = midnight + 6 * 60_000;
  await lookAll();
  expect((await listed()).map(({ day, state }) => [day, state])).toEqual([[dayOf(0), 'made']]);
  for (const type of ['daily-report.due', 'daily-report.made']) expect([type, await countOf(type, dayOf(0))]).toEqual([type, 1]);
  expect((await world.told('report.made')).map(({ data }) => [data['report'], data['format'] ?? 'zip', data['actor']])).toEqual([
    ...['json', 'html', 'pdf'].map((format) => ['gdpr', format, null]),
    ['soc2', 'zip', null],
  ]);
  await lookAll();
  expect(await countOf('daily-report.made', dayOf(0))).toBe(1);
}, 60_000);

it('is kept with a file of digests, of which the log knows the digest', async () => {
  const [{ files } = { files: [] }] = await listed();
  const [, into = ''] = [dayOf(0), ...readdirSync(join(kept, 'default', dayOf(0)))];
  const read = (name: string): Buffer => readFileSync(join(kept, 'default', dayOf(0), into, name));
  const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
  expect(files.map(({ name, sha256 }) => [name, sha256])).toEqual(files.map(({ name }) => [name, digest(read(name))]));
  const sums = files.filter(({ name }) => name !== 'SHA256SUMS').map(({ name, sha256 }) => `${sha256}  ${name}\n`);
  expect(read('SHA256SUMS').toString()).toBe(sums.join(''));
  const [made] = await world.told('daily-report.made');
  expect(made?.data).toMatchObject({ files: 5, checksums: `sha256:${digest(read('SHA256SUMS'))}` });
});

it('is what an auditor computes afterwards, its totals are those of the log, and it is fetched and checked with the key alone', async () => {
  const [{ from, to, files } = { from: '', to: '', files: [] }] = await listed();
  const again = await fetch(`${world.url}/v1/reports/gdpr?from=${from}&to=${to}&format=json`, {
    headers: { authorization: `Bearer ${auditor}` },
  });
  const sha256 = createHash('sha256')
    .update(Buffer.from(await again.arrayBuffer()))
    .digest('hex');
  expect(sha256).toBe(files.find(({ name }) => name.endsWith('.json'))?.sha256);
  expect(await bauta('reports', 'get', dayOf(0), '--out', 'got', '--server', world.url, '--token', 'env:AUDITOR')).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('SHA256SUMS'),
  });
  const file = join(folder, 'got', files.find(({ name }) => name.endsWith('.zip'))?.name ?? '');
  writeFileSync(join(folder, 'log.pub'), `${String((await world.ask('GET', '/v1/audit/log', { token: auditor })).body['key'])}\n`);
  expect(await bauta('report', 'verify', file, '--key', join(folder, 'log.pub'))).toMatchObject({ status: 0 });
  const zip = (await ZipReader.open(file))!;
  const [{ applied } = { applied: 0 }] = (await world.sql(
    `SELECT count(*)::int AS applied FROM bauta.audit_leaf WHERE type = 'documents.applied' AND event ->> 'at' >= '${from}' AND event ->> 'at' < '${to}'`,
  )) as { applied: number }[];
  const { rows } = JSON.parse(String(await zip.read('populations/changes.meta.json'))) as { rows: number };
  const lines =
    String(await zip.read('populations/changes.csv'))
      .split('\r\n')
      .filter(Boolean).length - 1;
  await zip.close();
  expect([applied > 0, rows, lines]).toEqual([true, applied, applied]);
}, 60_000);

it('tells once a day that it could not be made, makes up for every missed day, and does what a dead process left', async () => {
  later.ms = midnight + 2 * DAY_MS + 6 * 60_000;
  renameSync(kept, `${kept}-away`);
  await replicas[0]!.look();
  await replicas[1]!.look();
  const days = [dayOf(1), dayOf(2)];
  const states = (await listed()).slice(0, 2).map(({ day, state, code }) => [day, state, code]);
  expect(states).toEqual(days.toReversed().map((day) => [day, 'failed', 'REPORT_STORE_UNREACHABLE']));
  for (const day of days) expect([await countOf('daily-report.failed', day), await countOf('daily-report.made', day)]).toEqual([1, 0]);
  const notices = await world.sql(`SELECT event FROM bauta.notice WHERE event ->> 'type' = 'daily-report.failed'`);
  expect(notices).toHaveLength(2);
  const token = await world.person('scraper', ['viewer']);
  expect((await world.ask('GET', '/metrics', { token })).body['text']).toMatch(/^bauta_daily_reports_due 2$/m);

  renameSync(`${kept}-away`, kept);
  later.ms += 2 * 3_600_000;
  // One that was killed when it had it, and had not said so for long.
  const dead = (): Promise<unknown> =>
    world.metadata.within(world.workspaces.home, ({ dailyReports }) => dailyReports.claim(days[0]!, randomUUID(), 30_000));
  expect(await dead()).toBeDefined();
  await lookAll();
  expect([await countOf('daily-report.made', days[0]!), await countOf('daily-report.made', days[1]!)]).toEqual([0, 1]);
  await world.sql(`UPDATE bauta.daily_report SET heard_at = heard_at - interval '1 minute' WHERE made_at IS NULL`);
  await lookAll();
  const found = await listed();
  expect(found.map(({ day, state }) => [day, state])).toEqual([...days.toReversed(), dayOf(0)].map((day) => [day, 'made']));
  // Nothing falls between two of them.
  for (const [i, { from }] of found.slice(0, -1).entries()) expect(from).toBe(found[i + 1]?.to);
  for (const day of days) expect([day, await countOf('daily-report.made', day)]).toEqual([day, 1]);
}, 120_000);

it('lets a process that is stopped leave what it makes to another, and that is no failure', async () => {
  later.ms += DAY_MS;
  const maker = new ReportMaker({ url: world.urls.service, environment: process.env, witnesses: '', atOnce: 1 });
  const failed = (error: unknown): void => void process.stderr.write(`daily: ${String(error)}\n`);
  const clock = new DailyReportClock({ metadata: world.metadata, settings, maker, clock: { now: () => later.ms }, failed, lookMs: 0 });
  const looking = clock.look();
  for (let held = 0; held === 0;) held = (await world.sql('SELECT FROM bauta.daily_report WHERE holder IS NOT NULL')).length;
  await clock.stop();
  await looking;
  expect((await listed())[0]).toMatchObject({ day: dayOf(3), state: 'due', code: null });
  await lookAll();
  expect([await countOf('daily-report.failed', dayOf(3)), await countOf('daily-report.made', dayOf(3))]).toEqual([0, 1]);
}, 60_000);

it('gives files of days that there are, and nothing else of the store', async () => {
  const get = async (path: string, token = auditor): Promise<number> =>
    (await world.ask('GET', `/v1/reports/daily/${path}`, { token })).status;
  expect([await get(`${dayOf(0)}/SHA256SUMS`), await get(`${dayOf(0)}/..%2FSHA256SUMS`), await get(`${dayOf(9)}/SHA256SUMS`)]).toEqual([
    200, 404, 404,
  ]);
  expect(await get(`${dayOf(0)}/SHA256SUMS`, await world.person('eve', ['auditor'], 'foreign'))).toBe(404);
  expect(await get(`${dayOf(0)}/SHA256SUMS`, bob)).toBe(403);
});
