// `node dist/bench/checks.js`: ten checks of the reference data beside `SELECT count(*)` of the same tables, in one run.
// Usage: node dist/bench/checks.js [--rounds N] [--scale N]
import { exitForHelp, option } from './help.js';
import { type Timing, load, startBench } from './reference.js';
import type { CheckPlan } from '../src/pipeline/check.js';
import { CheckCounter } from '../src/systems/postgres/postgres.js';

exitForHelp(`Usage: node dist/bench/checks.js [--rounds N] [--scale N]

Ten checks, eight of them in one scan of a table each, beside one count(*) of each table. The best of the rounds counts.`);

const of = (name: string, table: string, ...columns: string[]) => ({
  ...{ name, severity: 'withhold' as const, table: { schema: 'public', name: table }, columns },
});
const scans: readonly CheckPlan[] = [
  { ...of('names', 'customers', 'first_name', 'last_name'), kind: 'notNull' },
  { ...of('cities', 'customers', 'city'), kind: 'acceptedValues', as: 'text', values: ['London', 'New York', 'Paris', 'Berlin', 'Warsaw'] },
  { ...of('births', 'customers', 'dob'), kind: 'range', as: 'date', min: '1940-01-01', max: '2010-12-31' },
  { ...of('notes', 'customers', 'notes'), kind: 'nullRate', maxPercent: 70 },
  { ...of('customers', 'customers'), kind: 'rowCount', min: 1, parts: [] },
  { ...of('amounts', 'orders', 'amount'), kind: 'range', as: 'numeric', min: '0' },
  { ...of('states', 'orders', 'status'), kind: 'acceptedValues', as: 'text', values: ['new', 'paid', 'sent', 'done'] },
  { ...of('fresh', 'orders', 'ordered_at'), kind: 'freshness', maxAgeSeconds: 86_400 },
];
const others: readonly CheckPlan[] = [
  { ...of('mails', 'customers', 'email'), kind: 'unique' },
  {
    ...of('owners', 'orders', 'customer_id'),
    ...{ kind: 'relation', as: ['same'], to: { table: { schema: 'public', name: 'customers' }, columns: ['id'] } },
  },
];

const bench = await startBench();
try {
  await load(bench, 'copy', option('--scale', 1));
  const connection = { name: 'copy', url: bench.server.url('copy') };
  const best = new Map<string, Timing>();
  const time = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    const timing = await bench.time(async () => void (await work()));
    if (timing.seconds < (best.get(name)?.seconds ?? Infinity)) best.set(name, timing);
  };
  const count = async (checks: readonly CheckPlan[]): Promise<void> => {
    const counter = new CheckCounter(connection, { asOfMs: Date.now(), timeoutMs: 600_000 });
    const counted = await counter.count(checks);
    await counter.close();
    if (counted.some((one) => !('counted' in one))) throw new Error('a check could not be made');
  };
  for (let round = 0; round < option('--rounds', 3); round++) {
    await time('count(*)', () => bench.sql('copy', 'SELECT (SELECT count(*) FROM customers), (SELECT count(*) FROM orders)'));
    await time('one scan', () => count(scans));
    await time('each alone', async () => {
      for (const check of scans) await count([check]);
    });
    await time('ten checks', () => count([...scans, ...others]));
  }
  const base = best.get('count(*)')?.seconds ?? 1;
  for (const [name, { seconds, serverCpuSeconds }] of best)
    process.stdout.write(
      `${name.padEnd(10)} ${seconds.toFixed(2)} s, ${(seconds / base).toFixed(1)} of count(*), ${serverCpuSeconds.toFixed(2)} s of the server's CPU\n`,
    );
} finally {
  await bench.server.stop();
}
