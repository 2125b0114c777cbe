// Reports that the service makes of its own log: the same bytes as an auditor computes, with what documents declared when it was in force.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { ReportMaker } from '../../src/control/reports/reports.js';
import { ZipReader } from '../../src/systems/zip/zip.js';
import { type ServiceWorld, startServiceWorld } from '../support/service.js';

const cli = fileURLToPath(new URL('../../src/cli.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'bauta-served-reports-'));
const key = join(folder, 'log.pub');
const whole = 'from=2020-01-01&to=2100-01-01';
const organisation = (contact: string): object => ({
  kind: 'Organisation',
  name: 'acme',
  legalName: 'Acme GmbH',
  acts: 'controller',
  contact,
});

let world: ServiceWorld;
let [bob, auditor, stranger, changedAt] = ['', '', '', ''];
beforeAll(async () => {
  world = await startServiceWorld();
  await world.startSequencer();
  bob = await world.person('bob', ['policy-admin']);
  auditor = await world.person('ada', ['auditor']);
  stranger = await world.person('eve', ['auditor'], 'foreign');
  expect((await apply(organisation('old@acme.example'))).status).toBe(200);
  await sleep(20);
  const { body } = await apply(organisation('new@acme.example'));
  changedAt = String((await world.ask('GET', '/v1/organisations/acme', { token: bob })).body['appliedAt']);
  expect(body['applied']).toHaveLength(1);
  for (let note: unknown = null; note === null; await sleep(20))
    note = (await world.ask('GET', '/v1/audit/log', { token: auditor })).body['key'];
  writeFileSync(key, `${String((await world.ask('GET', '/v1/audit/log', { token: auditor })).body['key'])}\n`);
}, 60_000);
afterAll(async () => {
  await world.stop();
  rmSync(folder, { recursive: true, force: true });
});

const apply = (document: object): ReturnType<ServiceWorld['ask']> => world.ask('POST', '/v1/apply', { token: bob, json: document });

const get = (path: string, { token = auditor, signal }: { token?: string; signal?: AbortSignal } = {}): Promise<Response> =>
  fetch(`${world.url}/v1/reports/${path}`, { headers: { authorization: `Bearer ${token}` }, ...(signal ? { signal } : {}) });

function bauta(...words: string[]): Promise<{ status: number; stderr: string }> {
  const env = { PATH: process.env['PATH'], BAUTA_HOME: join(folder, 'elsewhere'), AUDITOR: auditor, BOB: bob };
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...words, '--server', world.url, '--token', 'env:AUDITOR'], { cwd: folder, env }, (error, _, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, stderr: String(stderr) }),
    );
  });
}

it('gives the bytes that an auditor computes out of the log, in every format', async () => {
  const served = new Map<string, Buffer>();
  for (const format of ['json', 'html', 'pdf', 'csv', 'xlsx', 'zip']) {
    const answer = await get(`gdpr?${whole}&format=${format}`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect([answer.status, answer.headers.get('bauta-log')]).toEqual([200, 'whole']);
    expect(answer.headers.get('repr-digest')).toBe(`sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`);
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="gdpr-default-2020-01-01-2100-01-01.${format}"`);
    served.set(format, bytes);
  }
  const make = (format: string, ...more: string[]): ReturnType<typeof bauta> =>
    bauta('report', 'gdpr', '--from', '2020-01-01', '--to', '2100-01-01', '--format', format, '--out', join(folder, format), ...more);
  const read = (format: string): Buffer => readFileSync(join(folder, format));
  for (const format of ['zip', 'csv']) {
    expect(await make(format, '--key', key)).toMatchObject({ status: 0 });
    expect([format, read(format).equals(served.get(format)!)]).toEqual([format, true]);
  }
  // The package has the other papers of the same report in it.
  const zip = await ZipReader.open(join(folder, 'zip'));
  for (const format of ['html', 'pdf'])
    expect([format, (await zip!.read(`report.${format}`))?.equals(served.get(format)!)]).toEqual([format, true]);
  await zip!.close();
  expect(await bauta('report', 'verify', join(folder, 'zip'), '--key', key)).toMatchObject({ status: 0 });
  const rendered = await make('xlsx', '--rendered');
  expect(rendered).toMatchObject({ status: 0, stderr: expect.stringContaining('computed by 127.0.0.1') });
  expect(read('xlsx').equals(served.get('xlsx')!)).toBe(true);
}, 240_000);

it('prints what an organisation declared as it was in force, and from when to when', async () => {
  const answer = await get(`gdpr?${whole}`);
  const fields = await answer.text();
  expect(fields).toContain(`old@acme.example (from `);
  expect(fields).toContain(` until ${changedAt}); new@acme.example (from ${changedAt})`);
  const before = await (await get(`gdpr?from=2020-01-01&to=${changedAt}`)).text();
  expect([before.includes('old@acme.example'), before.includes('new@acme.example')]).toEqual([true, false]);
});

it('tells the log once that a report was made, by whom by a random id, and by its digest', async () => {
  const text = await (await get(`pci?${whole}&format=html`)).text();
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  await (await get(`pci?${whole}&format=html`)).text();
  const told = (await world.told('report.made')).filter(({ data }) => data['report'] === 'pci');
  const [{ id } = { id: '' }] = (await world.sql(`SELECT id FROM bauta.person WHERE name = 'ada'`)) as { id: string }[];
  expect(told.map(({ data }) => data)).toEqual([expect.objectContaining({ format: 'html', digest, actor: id })]);
  const packages = (await world.told('report.made')).filter(({ data }) => data['manifest'] !== undefined);
  expect(packages).toHaveLength(1);
});

it('refuses what is no report, no period and no format, whoever may not, and what the log does not reach', async () => {
  const statuses: Record<string, number> = {};
  for (const path of [
    ...[`gdpr?to=2026-01-01`, `gdpr?from=2026-02-31&to=2026-03-01`, `gdpr?from=2026-02-01&to=2026-01-01`, `gdpr?${whole}&from=2021-01-01`],
    ...[`gdpr?${whole}&zone=Mars`, `gdpr?${whole}&format=doc`, `gdpr?from=-271821-04-20T00:00:00Z&to=2100-01-01`, `nis2?${whole}`],
    `gdpr?from=2019-01-01&to=2020-01-01`,
  ])
    statuses[path.slice(0, 60)] = (await get(path)).status;
  expect(Object.values(statuses)).toEqual([400, 400, 400, 400, 400, 400, 400, 404, 404]);
  expect((await get(`gdpr?${whole}`, { token: bob })).status).toBe(403);
  expect((await get(`gdpr?${whole}`, { token: stranger })).status).toBe(404);
});

it('counts the witnesses that the service is told to ask, packs who they are, and makes nothing by a policy that cannot be read', async () => {
  const policy = `log ${readFileSync(key, 'utf8')}quorum none\n`;
  const [good, bad] = ['policy.txt', 'bad.txt'].map((name) => join(folder, name)) as [string, string];
  writeFileSync(good, policy);
  writeFileSync(bad, 'quorum\n');
  const order = {
    ...{ workspaceId: world.workspaces.home, workspace: 'default', actor: null, papers: [{ report: 'soc2', format: 'zip' }] as const },
    period: { from: '2020-01-01T00:00:00.000Z', to: '2100-01-01T00:00:00.000Z', zone: 'UTC' },
  };
  const making = (witnesses: string): ReportMaker =>
    new ReportMaker({ url: world.urls.service, environment: process.env, witnesses, atOnce: 1 });
  const made = await making(good).make(order);
  const zip = (await ZipReader.open(join(made.folder, made.papers[0]!.name)))!;
  expect((await zip.read('policy.txt'))?.toString('utf8')).toBe(policy);
  await zip.close();
  await made.discard();
  await expect(making(bad).make(order)).rejects.toMatchObject({ code: 'TRUST_POLICY_INVALID' });
  await expect(making(join(folder, 'none.txt')).make(order)).rejects.toMatchObject({ code: 'TRUST_POLICY_UNREADABLE' });
}, 30_000);

it('makes so many at once and no more, answers meanwhile, and does not go on for who went away', async () => {
  const stop = new AbortController();
  const first = get(`soc2?${whole}`, { signal: stop.signal }).catch(() => undefined);
  await sleep(150);
  const second = await get(`soc2?${whole}`);
  expect([second.status, Number(second.headers.get('retry-after')) > 0]).toEqual([429, true]);
  expect(await second.json()).toMatchObject({ code: 'REPORTS_BUSY' });
  expect((await world.ask('GET', '/v1/health/live')).status).toBe(200);
  stop.abort();
  await first;
  let status = 429;
  for (const startedAt = performance.now(); status === 429 && performance.now() - startedAt < 30_000; await sleep(20))
    status = (await get(`soc2?${whole}`)).status;
  expect(status).toBe(200);
});

it('says on page 1 that the log is broken, and packs nothing of it', async () => {
  const [leaf] = await world.sql(
    `SELECT event::text AS text FROM bauta.audit_leaf WHERE workspace_id = '${world.workspaces.home}' AND position = 0`,
  );
  const change = (text: string): Promise<unknown> =>
    world.sql(`UPDATE bauta.audit_leaf SET event = '${text}' WHERE workspace_id = '${world.workspaces.home}' AND position = 0`);
  await change(String(leaf?.['text']).replace('"at":"20', '"at":"19'));
  const answer = await get(`hipaa?${whole}`);
  expect([answer.status, answer.headers.get('bauta-log'), (await answer.text()).includes('BROKEN')]).toEqual([200, 'broken', true]);
  expect((await get(`soc2?${whole}`)).status).toBe(409);
  const asked = ['report', 'hipaa', '--from', '2020-01-01', '--to', '2100-01-01', '--rendered', '--out', join(folder, 'broken')];
  expect(await bauta(...asked)).toMatchObject({ status: 1 });
  await change(String(leaf?.['text']));
});
