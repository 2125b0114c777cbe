// `node dist/bench/privacy.js`: what measuring privacy takes of a run of the reference data, or of the demo's shop with its many small tables: by the
// times of the run's own log, in CPU seconds, and in statements that were sent for it.
// Usage: node dist/bench/privacy.js [--shop] [--rounds N] [--scale N]
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import pg from 'pg';

import { type Composed, compose } from '../src/cli/compose.js';
import { packageFile } from '../src/kernel/package-root.js';
import { provision } from '../src/pipeline/pipeline.js';
import type { PrivacyMeasures } from '../src/pipeline/privacy.js';
import { exitForHelp, option } from './help.js';
import { type Bench, load, makeRoles, peakRssBytes, processCpu, serverCpu, startBench, urlAs } from './reference.js';

exitForHelp(`Usage: node dist/bench/privacy.js [--shop] [--rounds N] [--scale N]

A run of the reference data (--shop: of the demo's shop), and how much of it the measurement of privacy took. The best of the rounds counts.`);

interface Figures {
  readonly seconds: number;
  /** Of this process and of the server. */
  readonly cpuSeconds: number;
  readonly statements: number;
  readonly sessions: number;
}

const counted = countCalls();
const isShop = process.argv.includes('--shop');
const bench = await startBench();
const home = mkdtempSync(join(tmpdir(), 'bauta-bench-privacy-'));
try {
  await (isShop ? loadShop(bench) : load(bench, 'source', option('--scale', 1)));
  await makeRoles(bench);
  const environment = { ...process.env, SOURCE_URL: urlAs(bench, 'source', 'source'), TARGET_URL: urlAs(bench, 'target', 'copy') };
  const file = isShop ? join(home, 'shop', 'pipeline.yaml') : packageFile('bench', 'workload', 'pipeline.yaml');
  if (isShop) cpSync(packageFile('examples', 'shop'), join(home, 'shop'), { recursive: true });
  let best: Measured | undefined;
  for (let round = 0; round < option('--rounds', 3); round++) {
    const one = await measure(await compose({ file, home, environment }));
    if (!best || one.privacy.seconds < best.privacy.seconds) best = one;
  }
  if (best) tell(best);
} finally {
  rmSync(home, { recursive: true, force: true });
  await bench.server.stop();
}

interface Measured {
  readonly run: Figures;
  readonly privacy: Figures;
  readonly told: PrivacyMeasures;
}

async function measure(composed: Composed): Promise<Measured> {
  const take = (): Figures => {
    return { seconds: performance.now() / 1000, cpuSeconds: serverCpu(bench.postmaster) + processCpu(process.pid), ...counted() };
  };
  const begun = take();
  let [checked, measured] = [begun, begun];
  let told: PrivacyMeasures | undefined;
  const hooks = {
    checked: (): void => void (checked = take()),
    measured: (measures: PrivacyMeasures): void => {
      measured = take();
      told = measures;
    },
  };
  const { summary, error } = await provision(composed.doors, composed.request, composed.run, hooks);
  const run = between(begun, take());
  await composed.close();
  if (summary.state !== 'published' || !told) throw new Error(`the run ended as ${summary.state}`, { cause: error });
  return { run, privacy: between(checked, measured), told };
}

function between(from: Figures, to: Figures): Figures {
  return {
    ...{ seconds: to.seconds - from.seconds, cpuSeconds: to.cpuSeconds - from.cpuSeconds },
    ...{ statements: to.statements - from.statements, sessions: to.sessions - from.sessions },
  };
}

function tell({ run, privacy, told }: Measured): void {
  const toLine = ({ seconds, cpuSeconds, statements, sessions }: Figures): string =>
    `${seconds.toFixed(2)} s, ${cpuSeconds.toFixed(2)} CPU seconds, ${statements} statements, ${sessions} sessions`;
  const more = (of: 'seconds' | 'cpuSeconds'): string => `${((100 * privacy[of]) / (run[of] - privacy[of])).toFixed(1)} %`;
  process.stdout.write(
    `run      ${toLine(run)}\nprivacy  ${toLine(privacy)}; ${told.tablesMeasured} tables\n` +
      `${more('seconds')} more than without, ${more('cpuSeconds')} of CPU (goal 10 %), peak ${(peakRssBytes() / 1e6).toFixed(0)} MB\n${JSON.stringify(told.worst)}\n`,
  );
}

/** As `bauta demo` makes it. */
async function loadShop(of: Bench): Promise<void> {
  await of.sql('postgres', 'CREATE DATABASE source');
  const client = new pg.Client({ connectionString: of.server.url('source') });
  await client.connect();
  await client.query('SET search_path = public');
  for (const name of ['schema.sql', 'data.sql']) await client.query(readFileSync(packageFile('examples', 'shop', name), 'utf8'));
  await client.end();
}

/** Statements and sessions of this process, whatever sends them. */
function countCalls(): () => Pick<Figures, 'statements' | 'sessions'> {
  let [statements, sessions] = [0, 0];
  type Call = (this: pg.Client, ...given: unknown[]) => unknown;
  const { query, connect } = pg.Client.prototype as unknown as Record<'query' | 'connect', Call>;
  Object.assign(pg.Client.prototype, {
    query(this: pg.Client, ...given: unknown[]): unknown {
      statements++;
      return query.apply(this, given);
    },
    connect(this: pg.Client, ...given: unknown[]): unknown {
      sessions++;
      return connect.apply(this, given);
    },
  });
  return () => ({ statements, sessions });
}
