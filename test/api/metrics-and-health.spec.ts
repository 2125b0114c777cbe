// What is measured: of requests, of a real run, of one workspace and not of another; and the rules and the dashboard that stand on it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { parse } from 'yaml';

import { packageFile } from '../../src/kernel/package-root.js';
import { findProgram } from '../support/program.js';
import { type ServiceWorld, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, canary, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

let tiny: TinyWorld;
let world: ServiceWorld;
let home: string;
let [viewer, stranger] = ['', ''];
let text = '';
const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
/** Names of the sessions that the servers showed while the run went on. */
const sessions: string[] = [];

beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(tiny.server);
  home = mkdtempSync(join(tmpdir(), 'bauta-metrics-'));
  viewer = await world.person('vic', ['viewer']);
  stranger = await world.person('eve', ['viewer'], 'foreign');
  const bob = await world.person('bob', ['policy-admin', 'requester']);
  const documents = [pipelineText, classificationText].join('---\n').replaceAll('_URL', '').replaceAll('env:', 'env:BAUTA_CONN_');
  const applied = await world.ask('POST', '/v1/apply', { token: bob, text: documents, headers: { 'content-type': 'application/yaml' } });
  expect(applied.status).toBe(200);
  const connections = { BAUTA_CONN_SOURCE: await tiny.source('shop'), BAUTA_CONN_TARGET: tiny.target('copy') };
  const worker = await startRunWorker(world, home, connections);
  const { body } = await world.ask('POST', '/v1/runs', {
    ...{ token: bob, json: { pipeline: 'tiny' } },
    headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
  });
  for (const names = sessions; !names.some((name) => name.endsWith(trace)); await new Promise((resolve) => setTimeout(resolve, 5)))
    names.push(...(await tiny.server.sql('postgres', `SELECT application_name AS n FROM pg_stat_activity`)).map(({ n }) => String(n)));
  // Ends with the run.
  await world.ask('GET', `/v1/runs/${String(body['id'])}/events`, { token: bob });
  expect((await world.ask('GET', `/v1/runs/${String(body['id'])}`, { token: bob })).body).toMatchObject({ state: 'published' });
  text = await read(viewer);
  await worker.stop();
}, 60_000);
afterAll(async () => {
  await world.stop();
  await tiny.stop();
  rmSync(home, { recursive: true, force: true });
});

async function read(token: string): Promise<string> {
  const { status, headers, body } = await world.ask('GET', '/metrics', { token });
  expect([status, headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  return body['text'] as string;
}

const valueOf = (metrics: string, series: string): number | undefined => {
  const line = metrics.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
};

it('counts what a run did, by names of ours only', () => {
  expect(valueOf(text, 'bauta_run_ends_total{state="published"}')).toBe(1);
  expect(valueOf(text, 'bauta_rows_total')).toBe(500);
  expect(valueOf(text, 'bauta_bytes_total')).toBeGreaterThan(1000);
  expect(valueOf(text, 'bauta_gate_decisions_total{decision="allow"}')).toBe(1);
  for (const state of ['planning', 'extracting', 'building', 'verifying', 'publishing'])
    expect([state, valueOf(text, `bauta_stage_seconds_count{state="${state}"}`)]).toEqual([state, 1]);
  expect(valueOf(text, 'bauta_runs_held')).toBe(0);
  expect(valueOf(text, 'bauta_snapshot_age_seconds')).toBe(0);
  expect(text).not.toContain(canary);
  expect(text).not.toMatch(/tiny|copy|shop|vic|bob/);
});

it('carries the trace of the request to the sessions on source and target', () => {
  expect(sessions.find((name) => name.endsWith(trace))).toMatch(/^bauta run [0-9a-z]+ 4bf92f3577b34da6a3ce929d0e0e4736$/);
});

it('counts requests by the route that answered, never by the address', async () => {
  await world.ask('GET', '/v1/pipelines/a-name-of-a-stranger', { token: viewer });
  await world.ask('GET', '/nowhere/a-name-of-a-stranger', { token: viewer });
  const now = await read(viewer);
  expect(valueOf(now, 'bauta_http_requests_total{method="GET",route="/v1/pipelines/:name",status="404"}')).toBe(1);
  expect(valueOf(now, 'bauta_http_requests_total{method="GET",route="none",status="404"}')).toBe(1);
  expect(now).not.toContain('a-name-of-a-stranger');
});

it('tells a workspace of its own runs and of nobody else’s, and nobody without a token', async () => {
  expect(valueOf(text, 'bauta_runs{state="published"}')).toBe(1);
  expect(valueOf(await read(stranger), 'bauta_runs{state="published"}')).toBeUndefined();
  expect((await world.ask('GET', '/metrics')).status).toBe(401);
  expect((await world.ask('GET', '/v1/health')).status).toBe(401);
});

it('says of each part whether it is well', async () => {
  const { body } = await world.ask('GET', '/v1/health', { token: viewer });
  // The worker has been stopped: nobody would work on a run.
  expect(body).toMatchObject({
    status: 'degraded',
    workers: { status: 'degraded', heard: 0 },
    metadata: { status: 'ok' },
    queue: { depth: 0 },
  });
  await world.sql(`INSERT INTO bauta.worker (id) VALUES (gen_random_uuid())`);
  expect((await world.ask('GET', '/v1/health', { token: viewer })).body).toMatchObject({ workers: { status: 'ok', heard: 1 } });
  await world.sql(`UPDATE bauta.worker SET heartbeat_at = now() - interval '1 minute'`);
  expect((await world.ask('GET', '/v1/health', { token: viewer })).body).toMatchObject({
    workers: { status: 'degraded', heard: 0, silent: 1 },
  });
});

const folder = packageFile('deploy', 'monitoring');
const named = (expression: string): string[] => expression.match(/\b(bauta|process)_[a-z_]+/g) ?? [];

it('has every metric that the alert rules and the dashboard ask for', () => {
  const { groups } = parse(readFileSync(join(folder, 'alerts.yaml'), 'utf8')) as { groups: { rules: { expr: string }[] }[] };
  const { panels } = JSON.parse(readFileSync(join(folder, 'dashboard.json'), 'utf8')) as { panels: { targets: { expr: string }[] }[] };
  const expressions = [...groups.flatMap(({ rules }) => rules), ...panels.flatMap(({ targets }) => targets)].map(({ expr }) => expr);
  const there = new Set(
    [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = '', type]) => (type === 'histogram' ? [`${name}_bucket`] : [name])),
  );
  expect(expressions.length).toBeGreaterThan(20);
  expect(expressions.flatMap(named).filter((name) => !there.has(name))).toEqual([]);
});

const promtool = findProgram('promtool');
(promtool ? it : it.skip)('has rules and metrics that promtool finds nothing wrong with', () => {
  execFileSync(promtool ?? '', ['check', 'rules', join(folder, 'alerts.yaml')], { stdio: 'pipe' });
  // What prom-client measures of Node itself is named as it names it.
  const ours = text.split('\n').filter((line) => /^(# (HELP|TYPE) )?bauta_/.test(line));
  execFileSync(promtool ?? '', ['check', 'metrics'], { input: `${ours.join('\n')}\n`, stdio: 'pipe' });
});
