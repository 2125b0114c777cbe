// The service as a company has it: main.ts in a process of its own, its embedded Postgres, the settings as shipped, 100,000 runs stored.
// Usage: node dist/bench/service.js [--json] [--only routes|pickup|idle|overhead] [--runs N] [--seconds N]
import { cpus, loadavg, release, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

import { exitForHelp } from './help.js';
import { type Bench, load, makeRoles, missing, startBench } from './reference.js';
import { type OverheadFigures, connectionsOf, measureOverhead } from './service-overhead.js';
import { type PickupFigures, measurePickup } from './service-pickup.js';
import { ServiceHome, rssBytes } from './service-process.js';
import { type RouteFigures, measureRoutes } from './service-routes.js';
import { applyDocuments, storeRuns, waitUntilSequenced } from './stored-runs.js';

exitForHelp(`Usage: node dist/bench/service.js [--json] [--only routes|pickup|idle|overhead] [--runs N] [--seconds N]

The service on this machine: memory at rest, how soon an idle worker has a run, what the control plane adds to the time of a run, and the ten most used
routes at 200 requests a second. Takes about three minutes; beside other work it measures that work.

  --json        one object instead of the table
  --only FIGURE nothing but this one
  --runs N      how many runs are stored (100000)
  --seconds N   how long the routes are asked, after five seconds that are not counted (30)`);

const figures = ['idle', 'pickup', 'overhead', 'routes'] as const;
type Figure = (typeof figures)[number];

interface IdleFigures {
  /** Of the process: ten seconds after its start, and ten after the requests. */
  readonly atStartBytes: number;
  readonly afterLoadBytes?: number;
}

interface Result {
  readonly machine: string;
  readonly loadAverage: readonly number[];
  readonly runs: number;
  readonly idle?: IdleFigures;
  readonly pickup?: PickupFigures;
  readonly overhead?: OverheadFigures;
  readonly routes?: RouteFigures;
}

const PER_SECOND = 200;
const PICKUPS = 40;
const ROUNDS = 4;
const SCALE = 0.1;
const REST_MS = 10_000;

const word = (name: string): string | undefined => process.argv[process.argv.indexOf(name) + 1 || process.argv.length];
const only = word('--only');
const runs = Number(word('--runs') ?? 100_000);
const seconds = Number(word('--seconds') ?? 30);
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const wants = (figure: Figure): boolean => only === undefined || only === figure;

if (only !== undefined && !figures.some((figure) => figure === only)) {
  say(`--only is one of ${figures.join(', ')}`);
  process.exit(1);
}
const lack = wants('overhead') ? missing() : undefined;
if (lack !== undefined) {
  say(`the overhead is measured with ${lack}`);
  process.exit(1);
}
const home = new ServiceHome();
const bench = wants('overhead') ? await startBench() : undefined;
try {
  tell(await measure());
} finally {
  await bench?.server.stop();
  home.remove();
}

async function measure(): Promise<Result> {
  const machine = `${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}`;
  const before = loadavg();
  if (bench) {
    await makeRoles(bench);
    await load(bench, 'source', SCALE);
  }
  const { atStartBytes, ...worked } = await measureWorker(bench);
  const { afterLoadBytes, ...asked } = wants('routes') ? await measureApi() : {};
  const idle = wants('idle') ? { idle: { atStartBytes, ...(afterLoadBytes === undefined ? {} : { afterLoadBytes }) } } : {};
  return { machine, loadAverage: before, runs, ...idle, ...worked, ...asked };
}

/** At rest, then with the runs stored, the worker of the process working. */
async function measureWorker(source: Bench | undefined): Promise<{ atStartBytes: number } & Pick<Result, 'pickup' | 'overhead'>> {
  const service = await home.start(source ? connectionsOf(source) : {});
  try {
    if (wants('idle')) await sleep(REST_MS);
    const atStartBytes = rssBytes(service.pid);
    if (only === 'idle') return { atStartBytes };
    await applyDocuments(service);
    say(`  storing ${runs.toLocaleString('en')} runs`);
    await storeRuns(service, runs);
    await waitUntilSequenced(service);
    say('  the worker');
    const pickup = wants('pickup') ? { pickup: await measurePickup(service, PICKUPS) } : {};
    const overhead = source ? { overhead: await measureOverhead(source, service, home.folder, ROUNDS) } : {};
    return { atStartBytes, ...pickup, ...overhead };
  } finally {
    await service.stop();
  }
}

/** What is asked for here waits: its worker may not touch it. So it is requests that are measured, not runs that fail ten times a second. */
async function measureApi(): Promise<Pick<Result, 'routes'> & { afterLoadBytes: number }> {
  say(`  ${seconds} s of requests`);
  const service = await home.start({ BAUTA_POOL_TAGS: 'phi' });
  try {
    const routes = await measureRoutes(service, PER_SECOND, seconds);
    await sleep(REST_MS);
    return { routes, afterLoadBytes: rssBytes(service.pid) };
  } finally {
    await service.stop();
  }
}

function tell(result: Result): void {
  if (process.argv.includes('--json')) return void process.stdout.write(`${JSON.stringify(result)}\n`);
  const { machine, loadAverage, idle, pickup, overhead, routes } = result;
  const lines = [
    machine,
    `load average before: ${loadAverage.map((one) => one.toFixed(1)).join(' ')}`,
    `${runs.toLocaleString('en')} runs stored`,
    '',
  ];
  for (const [route, one] of Object.entries(routes?.routes ?? {}).sort())
    lines.push(
      `${route.padEnd(28)} ${one.perSecond.toFixed(1).padStart(6)}/s   p50 ${ms(one.p50Ms)}   p99 ${ms(one.p99Ms)}   max ${ms(one.maxMs)}`,
    );
  if (routes)
    lines.push(
      `${'all'.padEnd(28)} ${routes.achievedPerSecond.toFixed(1).padStart(6)}/s of ${routes.perSecond}; refused ${JSON.stringify(routes.refused)}; the latest left ${ms(routes.latestMs).trim()} late`,
      `CPU of a request: service ${routes.cpuMs.service.toFixed(2)} ms, database ${routes.cpuMs.database.toFixed(2)} ms`,
    );
  if (pickup) lines.push(`picked up after: p50 ${ms(pickup.p50Ms)}, the slowest of ${pickup.runs} ${ms(pickup.maxMs)} (goal 200 ms)`);
  if (idle)
    lines.push(
      `memory of the process: ${mb(idle.atStartBytes)} at rest${idle.afterLoadBytes === undefined ? '' : `, ${mb(idle.afterLoadBytes)} at rest after the requests`} (goal 250 MB)`,
    );
  if (overhead)
    lines.push(
      `a run: ${overhead.aloneSeconds.toFixed(2)} s by bauta run, ${overhead.servedSeconds.toFixed(2)} s by the service, ratio ${overhead.ratio.toFixed(2)} (goal 1.05); of each round ${overhead.ratios.map((one) => one.toFixed(2)).join(' ')}`,
    );
  process.stdout.write(`${lines.join('\n')}\n`);
}

function ms(value: number): string {
  return `${value.toFixed(1).padStart(6)} ms`;
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
