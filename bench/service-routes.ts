// The ten routes that a service with 100,000 runs is asked for most, at a constant rate: what a console, a CI job and a scraper ask.
import { Worker } from 'node:worker_threads';

import { packageFile } from '../src/kernel/package-root.js';
import type { Arrived, Asked, Load } from './arrivals.js';
import type { ServiceProcess } from './service-process.js';
import { PIPELINES } from './stored-runs.js';

export interface RouteFigures {
  readonly perSecond: number;
  readonly achievedPerSecond: number;
  readonly latestMs: number;
  readonly refused: Readonly<Record<string, number>>;
  /** Of all processes, for one request; the load's own is not in it. */
  readonly cpuMs: { readonly service: number; readonly database: number };
  readonly routes: Readonly<Record<string, LatencyFigures>>;
}

export interface LatencyFigures {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const UNCOUNTED_SECONDS = 5;

type Draw = (below: number) => number;

/** Of a hundred requests so many; the list of runs is asked for in the four ways in which a page asks. */
const mix: readonly { readonly of100: number; readonly route: string; readonly path: (draw: Draw, ids: readonly string[]) => string }[] = [
  { of100: 14, route: 'GET /v1/runs', path: () => '/v1/runs' },
  { of100: 6, route: 'GET /v1/runs', path: (draw, ids) => `/v1/runs?cursor=${toCursor(pick(draw, ids))}` },
  { of100: 6, route: 'GET /v1/runs', path: (draw) => `/v1/runs?pipeline=shop-${draw(PIPELINES)}&state=failed` },
  { of100: 4, route: 'GET /v1/runs', path: () => '/v1/runs?state=awaiting-approval' },
  { of100: 20, route: 'GET /v1/runs/{id}', path: (draw, ids) => `/v1/runs/${pick(draw, ids)}` },
  { of100: 5, route: 'POST /v1/runs', path: () => '/v1/runs' },
  { of100: 8, route: 'GET /v1/pipelines', path: () => '/v1/pipelines' },
  { of100: 10, route: 'GET /v1/pipelines/{name}', path: (draw) => `/v1/pipelines/shop-${draw(PIPELINES)}` },
  { of100: 8, route: 'GET /v1/schedules', path: () => '/v1/schedules' },
  { of100: 6, route: 'GET /v1/approvals', path: () => '/v1/approvals?state=waiting' },
  { of100: 5, route: 'GET /v1/audit/log/entries', path: (draw) => `/v1/audit/log/entries?cursor=${toCursor(String(draw(50_000)))}` },
  { of100: 5, route: 'GET /v1/health', path: () => '/v1/health' },
  { of100: 3, route: 'GET /metrics', path: () => '/metrics' },
];

const pick = (draw: Draw, ids: readonly string[]): string => ids[draw(ids.length)] ?? '';

const toCursor = (text: string): string => Buffer.from(text).toString('base64url');

export async function measureRoutes(service: ServiceProcess, perSecond: number, seconds: number): Promise<RouteFigures> {
  const { rows } = await service.database.query<{ id: string }>('SELECT id FROM bauta.run TABLESAMPLE SYSTEM (5) LIMIT 2000');
  const uncounted = UNCOUNTED_SECONDS * perSecond;
  const asked = toAsked(
    uncounted + seconds * perSecond,
    rows.map(({ id }) => id),
  );
  const { url, token } = service;
  const before = service.cpuSeconds();
  const arrived = await send({ url, token, perSecond, asked, uncounted });
  const after = service.cpuSeconds();
  const cpuMs = (of: 'service' | 'database'): number => ((after[of] - before[of]) * 1000) / asked.length;
  const answered = Object.values(arrived.milliseconds).reduce((sum, { length }) => sum + length, 0);
  return {
    ...{ perSecond, latestMs: arrived.latestMs, refused: arrived.refused, achievedPerSecond: answered / arrived.seconds },
    cpuMs: { service: cpuMs('service'), database: cpuMs('database') },
    routes: Object.fromEntries(
      Object.entries(arrived.milliseconds).map(([route, ms]) => [
        route,
        toLatency(
          [...ms].sort((one, other) => one - other),
          seconds,
        ),
      ]),
    ),
  };
}

/** The same sequence each time: what is drawn comes from a generator with a fixed seed. */
function toAsked(many: number, ids: readonly string[]): readonly Asked[] {
  let seed = 20261121;
  const draw: Draw = (below) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const deck = mix.flatMap((one) => Array.from({ length: one.of100 }, () => one));
  return Array.from({ length: many }, () => {
    const one = deck[draw(deck.length)] ?? mix[0]!;
    const body = one.route.startsWith('POST') ? { body: JSON.stringify({ pipeline: `shop-${draw(PIPELINES)}` }) } : {};
    return { route: one.route, method: one.route.split(' ')[0] ?? '', path: one.path(draw, ids), ...body };
  });
}

function send(load: Load): Promise<Arrived> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(packageFile('dist', 'bench', 'arrivals.js'), { workerData: load });
    thread.once('message', resolve);
    thread.once('error', reject);
  });
}

function toLatency(sorted: readonly number[], seconds: number): LatencyFigures {
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return { requests: sorted.length, perSecond: sorted.length / seconds, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}
