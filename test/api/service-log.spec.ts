// The service's log is one that anyone can check: a run's publication is announced there where the marker says, an auditor fetches the files, and
// everything that checks a log of the command line checks this one.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { formatWitnessKey, readCosignatures, toCosigner } from '../../src/kernel/cosignature.js';
import { parseNote, parseVerifierKey } from '../../src/kernel/signed-note.js';
import { type SendToWitness, answerSubmission, parseTrustPolicy } from '../../src/pipeline/audit/audit.js';
import { parseMarkerText } from '../../src/pipeline/marker.js';
import { openAnchorStore } from '../../src/control/anchor-places.js';
import { AnchorClock, CosignClock } from '../../src/control/audit/audit.js';
import { parseSettings } from '../../src/config/settings.js';
import type { RunWorker } from '../../src/control/runs/runs.js';
import { type ServiceWorld, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, canary, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const folder = mkdtempSync(join(tmpdir(), 'bauta-service-log-'));
const key = join(folder, 'log.pub');
const cli = fileURLToPath(new URL('../../src/cli.js', import.meta.url));
let tiny: TinyWorld;
let world: ServiceWorld;
let worker: RunWorker;
let [bob, auditor, stranger] = ['', '', ''];
let run: Record<string, unknown> = {};
beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(tiny.server);
  bob = await world.person('bob', ['policy-admin', 'requester', 'viewer']);
  auditor = await world.person('ada', ['auditor']);
  stranger = await world.person('eve', ['auditor'], 'foreign');
  const connections = { BAUTA_CONN_SOURCE: await tiny.source('shop'), BAUTA_CONN_TARGET: tiny.target('copy') };
  const text = [pipelineText, classificationText]
    .join('---\n')
    .replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE')
    .replace('env:TARGET_URL', 'env:BAUTA_CONN_TARGET');
  const applied = await world.ask('POST', '/v1/apply', { token: bob, text, headers: { 'content-type': 'application/yaml' } });
  expect(applied.status).toBe(200);
  worker = await startRunWorker(world, join(folder, 'home'), connections);
  const { body } = await world.ask('POST', '/v1/runs', { token: bob, json: { pipeline: 'tiny' } });
  for (const startedAt = performance.now(); (run['endedAt'] ?? null) === null; await new Promise((resolve) => setTimeout(resolve, 50))) {
    if (performance.now() - startedAt > 30_000) throw new Error(`the run is ${String(run['state'])}`);
    run = (await world.ask('GET', `/v1/runs/${String(body['id'])}`, { token: bob })).body;
  }
  expect(run).toMatchObject({ state: 'published' });
  writeFileSync(key, `${String((await world.ask('GET', '/v1/audit/log', { token: auditor })).body['key'])}\n`);
}, 60_000);
afterAll(async () => {
  await worker.stop();
  await world.stop();
  await tiny.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Entry {
  readonly index: number;
  readonly event: { readonly runId: string; readonly type: string; readonly data: Record<string, unknown> };
}

async function entries(token = auditor): Promise<Entry[]> {
  const { body } = await world.ask('GET', '/v1/audit/log/entries?limit=200', { token });
  return body['items'] as Entry[];
}

function bauta(...words: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env['PATH'], BAUTA_HOME: join(folder, 'elsewhere'), AUDITOR: auditor, BOB: bob, COPY: tiny.target('copy') };
  return new Promise((resolve) => {
    execFile(process.execPath, [cli, ...words], { encoding: 'utf8', cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

it('tells of a run what the command line tells, once, and who asked for it by a random id', async () => {
  const told = (await entries()).filter(({ event }) => event.runId === run['id']).map(({ event }) => event.type);
  const once = ['run.queued', 'run.started', 'source.seen', 'key.recorded', 'plan.decided', 'snapshot.opened', 'staging.intended'];
  const after = ['dataset.verified', 'dataset.published.intended', 'dataset.published.done', 'run.ended', 'run.published'];
  for (const type of [...once, ...after]) expect([type, told.filter((one) => one === type).length]).toEqual([type, 1]);
  const [{ id } = { id: '' }] = (await world.sql(`SELECT id FROM bauta.person WHERE name = 'bob'`)) as { id: string }[];
  const started = (await entries()).find(({ event }) => event.type === 'run.started');
  expect(started?.event.data['actor']).toBe(id);
  const all = JSON.stringify(await entries());
  expect([all.includes('bob'), all.includes(canary)]).toEqual([false, false]);
});

it('has the intent of the publication where the marker says, and the database attests with its key', async () => {
  const { status, stdout } = await bauta('attest', 'env:COPY', '--key', key, '--json');
  const { state, marker: note } = JSON.parse(stdout) as { state: string; marker: string };
  expect([status, state]).toEqual([0, 'valid']);
  const marker = parseMarkerText(parseNote(note)!.text)!;
  const intent = (await entries())[marker.log.index];
  expect(intent).toMatchObject({ index: marker.log.index, event: { type: 'dataset.published.intended', runId: marker.runId } });
  const { body } = await world.ask('GET', '/v1/audit/log', { token: auditor });
  expect((body['logs'] as { origin: string }[]).map(({ origin }) => origin)).toContain(marker.log.origin);
  expect(run['summary']).toMatchObject({ checkpoint: { origin: marker.log.origin } });
});

it('is fetched into a folder that is checked without the service, and proves an entry to whoever has the key', async () => {
  const server = ['--server', world.url, '--token', 'env:AUDITOR'];
  const copy = join(folder, 'copy');
  expect(await bauta('audit', 'export', ...server, '--out', copy)).toMatchObject({ status: 0, stdout: expect.stringContaining(copy) });
  expect(await bauta('audit', 'verify', '--log', copy, '--key', key)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/whole: every entry/),
  });
  const [log = ''] = ((await world.ask('GET', '/v1/audit/log', { token: auditor })).body['logs'] as { name: string }[]).map(
    ({ name }) => name,
  );
  const known = join(copy, log, 'checkpoint');
  const [near, far] = [
    await bauta('audit', 'verify', '--log', copy, '--key', key),
    await bauta('audit', 'verify', ...server, '--key', key),
  ];
  expect(far).toEqual(near);
  expect((await bauta('audit', 'verify', ...server, '--key', key, '--known', known)).status).toBe(0);
  const proof = join(folder, 'proof');
  expect((await bauta('audit', 'prove', '3', '--log', copy, '--out', proof)).status).toBe(0);
  expect((await bauta('audit', 'prove', '4', ...server, '--out', proof)).status).toBe(0);
  expect(await bauta('audit', 'verify', '--proof', proof, '--key', key)).toMatchObject({
    status: 0,
    stdout: expect.stringContaining((await entries())[4]!.event.type),
  });
  // A byte of a leaf, in the database.
  const [leaf] = await world.sql(
    `SELECT event::text AS text FROM bauta.audit_leaf WHERE workspace_id = '${world.workspaces.home}' AND position = 5`,
  );
  const change = (text: string): Promise<unknown> =>
    world.sql(`UPDATE bauta.audit_leaf SET event = '${text}' WHERE workspace_id = '${world.workspaces.home}' AND position = 5`);
  await change(String(leaf?.['text']).replace('"at":"20', '"at":"19'));
  expect(await bauta('audit', 'verify', ...server, '--key', key)).toMatchObject({ status: 1, stdout: expect.stringContaining('entry 5') });
  await change(String(leaf?.['text']));
}, 60_000);

it('is for auditors of the workspace only', async () => {
  const refused = await bauta('audit', 'verify', '--server', world.url, '--token', 'env:BOB', '--key', key);
  expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('ACCESS_DENIED') });
  expect((await world.ask('GET', '/v1/audit/log', { token: stranger })).body).toEqual({ key: null, logs: [] });
  expect(await entries(stranger)).toEqual([]);
  for (const path of ['checkpoint', 'tile/0/000', '2026/checkpoint', `${String(new Date().getFullYear())}/tile/entries/000.p/1`])
    expect([path, (await world.ask('GET', `/v1/audit/log/${path}`, { token: stranger })).status]).toEqual([path, 404]);
  expect(await bauta('audit', 'verify', '--server', 'http://bauta.invalid', '--token', 'env:BOB')).toMatchObject({ status: 3 });
});

it('answers for every part by the names of c2sp.org/tlog-tiles, of the newest log and of each', async () => {
  const get = (path: string) => world.ask('GET', `/v1/audit/log/${path}`, { token: auditor });
  const note = await get('checkpoint');
  expect([note.status, note.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
  const [origin = '', size = ''] = String(note.body['text']).split('\n');
  const log = origin.slice(-4);
  expect((await get(`${log}/checkpoint`)).body).toEqual(note.body);
  for (const path of [`tile/0/000.p/${size}`, `tile/entries/000.p/${size}`, 'tile/0/000.p/1']) {
    const [newest, named] = [await get(path), await get(`${log}/${path}`)];
    expect([path, newest.status, named.status, newest.headers.get('content-type')]).toEqual([path, 200, 200, 'application/octet-stream']);
    expect(newest.body).toEqual(named.body);
  }
  for (const path of [
    'tile/0/000',
    `tile/0/000.p/${Number(size) + 50}`,
    'tile/0/0',
    'tile/9/x',
    'tile/0/..%2F..%2Fcheckpoint',
    '1999/checkpoint',
    `${log}/payload/x`,
  ])
    expect([path, (await get(path)).status]).toEqual([path, 404]);
  expect((await get('entries?log=x')).status).toBe(400);
  const first = await get('entries?limit=2');
  const second = await get(`entries?limit=2&cursor=${String(first.body['next'])}`);
  expect((second.body['items'] as Entry[]).map(({ index }) => index)).toEqual([2, 3]);
});

it('leaves nothing in the home of a worker that a run of the command line would', () => {
  expect(() => readFileSync(join(folder, 'home', 'log.pub'))).toThrow();
});

it('is what a package of evidence is made of, which the log is told of once and which is checked without the service', async () => {
  const make = (out: string, token = 'AUDITOR'): ReturnType<typeof bauta> =>
    bauta(
      ...['report', 'soc2', '--from', '2020-01-01', '--to', '2100-01-01', '--server', world.url, '--token', `env:${token}`],
      ...['--key', key, '--out', join(folder, out)],
    );
  const first = await make('first.zip');
  expect({ ...first, told: first.stdout }).toMatchObject({ status: 0, told: expect.stringContaining('told to the log') });
  expect(await bauta('report', 'verify', join(folder, 'first.zip'), '--key', key)).toMatchObject({ status: 0 });
  expect(await bauta('report', 'verify', join(folder, 'first.zip'))).toMatchObject({ status: 5 });
  expect(await make('second.zip')).toMatchObject({ status: 0 });
  expect(readFileSync(join(folder, 'second.zip')).equals(readFileSync(join(folder, 'first.zip')))).toBe(true);
  expect((await entries()).filter(({ event }) => event.type === 'report.made')).toHaveLength(1);
  const told = { report: 'soc2', from: '2026-01-01T00:00:00.000Z', to: '2027-01-01T00:00:00.000Z', manifest: `sha256:${'0'.repeat(64)}` };
  const upTo = { log: '2026', size: 3, root: `${'A'.repeat(43)}=` };
  expect((await world.ask('POST', '/v1/reports', { token: auditor, json: { ...told, upTo } })).status).toBe(400);
  // Whoever may not read the log may not add to it either; and nothing is made without a key that was got by another way.
  expect(await make('none.zip', 'BOB')).toMatchObject({ status: 2 });
  expect(
    await bauta('report', 'soc2', '--from', '2020-01-01', '--to', '2100-01-01', '--server', world.url, '--token', 'env:AUDITOR'),
  ).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('--key'),
  });
});

it('shows every log to its witnesses, keeps what they cosigned, and is verified with their policy by whoever exports it', async () => {
  const cosigner = toCosigner('witness.example/board');
  const seen = new Map<string, string>();
  const sendTo = (): SendToWitness => async (body) => {
    const side = { cosigner, logs: [parseVerifierKey(readFileSync(key, 'utf8'))!], now: () => Math.floor(Date.now() / 1000) };
    const answer = await answerSubmission(body, { ...side, seen: (origin) => Promise.resolve(seen.get(origin)) });
    if (answer.status === 200) seen.set(answer.checkpoint.origin, answer.note);
    return { status: answer.status, body: answer.status === 200 ? answer.lines : answer.status === 409 ? `${answer.size}\n` : '' };
  };
  const policyFile = join(folder, 'policy.txt');
  writeFileSync(
    policyFile,
    `${readFileSync(key, 'utf8').replace(/^/, 'log ')}witness board ${formatWitnessKey(cosigner.witness)} https://board.example\nquorum board\n`,
  );
  const policy = parseTrustPolicy(readFileSync(policyFile, 'utf8'));
  if ('line' in policy) throw new Error(JSON.stringify(policy));
  const failed: unknown[] = [];
  const clock = new CosignClock({ metadata: world.metadata, policy, everyMs: 3_600_000, sendTo, failed: (error) => failed.push(error) });
  try {
    const read = async (path: string): Promise<string> =>
      (await fetch(`${world.url}${path}`, { headers: { Authorization: `Bearer ${auditor}` } })).text();
    const metric = (): Promise<string> => read('/metrics');
    expect((await world.ask('GET', '/v1/audit/log/cosigned', { token: auditor })).status).toBe(404);
    expect(await metric()).toContain('bauta_log_cosigned_seconds +Inf');
    await clock.look();
    const first = await read('/v1/audit/log/cosigned');
    expect(readCosignatures(first, [cosigner.witness])).toHaveLength(1);
    expect(await metric()).toMatch(/bauta_log_uncosigned 0\n[\s\S]*bauta_log_cosigned_seconds \d/);
    const out = join(folder, 'cosigned');
    expect(await bauta('audit', 'export', '--server', world.url, '--token', 'env:AUDITOR', '--out', out)).toMatchObject({ status: 0 });
    expect(await bauta('audit', 'verify', '--log', out, '--policy', policyFile)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('witness.example/board'),
    });
    // Another workspace's auditor does not see it.
    expect((await world.ask('GET', '/v1/audit/log/cosigned', { token: stranger })).status).toBe(404);
    // The one that was seen last stays where a witness says no.
    const [origin = ''] = first.split('\n');
    seen.set(origin, first.replace(/\n\d+\n/, '\n999999\n'));
    await world.sql(`UPDATE bauta.audit_cosigned SET size = 1`);
    await clock.look();
    expect(failed).toEqual([]);
    await world.sql(`UPDATE bauta.audit_cosigned SET note = ''`);
    await clock.look();
    expect(failed).toMatchObject([{ code: 'WITNESS_AHEAD' }]);
  } finally {
    await clock.stop();
  }
});

it('puts checkpoints of every log elsewhere, says where they are, and tells once of a place that refuses or is away', async () => {
  const elsewhere = join(folder, 'elsewhere');
  mkdirSync(elsewhere);
  const place = `file://${elsewhere}`;
  const failed: unknown[] = [];
  const open = (name: string): ReturnType<typeof openAnchorStore> => openAnchorStore(name, parseSettings({}), {});
  const clock = new AnchorClock({
    metadata: world.metadata,
    places: [place],
    everyMs: 3_600_000,
    open,
    failed: (error) => failed.push(error),
  });
  const refusals = async (): Promise<readonly unknown[]> =>
    (await entries()).filter(({ event }) => event.type === 'anchor.refused').map(({ event }) => event.data);
  try {
    const get = (path: string): ReturnType<ServiceWorld['ask']> => world.ask('GET', `/v1/audit/log/${path}`, { token: auditor });
    expect((await get('anchors')).status).toBe(404);
    await clock.look();
    expect(failed).toEqual([]);
    const served = await fetch(`${world.url}/v1/audit/log/anchors`, { headers: { Authorization: `Bearer ${auditor}` } });
    const [anchor] = (await served.json()) as { place: string; note: string; lockedUntil: unknown }[];
    expect(anchor).toMatchObject({ place, lockedUntil: null, note: expect.stringContaining('/2026\n') });
    const metrics = await (await fetch(`${world.url}/metrics`, { headers: { Authorization: `Bearer ${auditor}` } })).text();
    expect(metrics).toMatch(/bauta_log_unanchored\{place="file:[^"]+"\} 0\n/);
    await world.sql('DELETE FROM bauta.audit_cosigned');
    const out = join(folder, 'anchored');
    expect(await bauta('audit', 'export', '--server', world.url, '--token', 'env:AUDITOR', '--out', out)).toMatchObject({ status: 0 });
    expect(await bauta('audit', 'verify', '--log', out, '--key', key, '--anchor', place)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`${place}  1 checkpoint`),
    });
    // Another workspace's auditor does not see where.
    expect((await world.ask('GET', '/v1/audit/log/anchors', { token: stranger })).body).not.toMatchObject([{ note: anchor!.note }]);
    rmSync(elsewhere, { recursive: true });
    await world.sql('UPDATE bauta.audit_anchor SET size = 1');
    await clock.look();
    await clock.look();
    expect(failed).toMatchObject(expect.arrayContaining([expect.objectContaining({ code: 'ANCHOR_UNREACHABLE' })]));
    for (let round = 0; (await refusals()).length === 0 && round < 200; round++) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await refusals()).toEqual([{ place, code: 'ANCHOR_UNREACHABLE' }]);
  } finally {
    await clock.stop();
  }
});
