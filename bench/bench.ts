// `npm run bench`: the reference workload by psql and by Bauta, one after the other in one run, so that what counts is a ratio.
// Usage: node dist/bench/bench.js [--json] [--rounds N] [--scale N] [--only provision]
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { packageFile } from '../src/kernel/package-root.js';
import { exitForHelp, option } from './help.js';
import type { RunFigures } from './one-run.js';
import { type Timing, BINARIES, load, makeRoles, settings, startBench, urlAs } from './reference.js';

interface Measured extends Timing {
  readonly peakRssBytes: number;
  readonly steps?: RunFigures['steps'];
}

type Mode = 'copy' | 'provision' | 'verify';

exitForHelp(`Usage: npm run bench -- [--json] [--rounds N] [--scale N] [--only provision]

The reference workload by psql and by Bauta in one run, on a Postgres 15 that the benchmark starts: data path, provisioning with and without verification, peak
memory, the masking kernel alone, and the audit log alone. Takes several minutes.

  --json       one object instead of the table
  --rounds N   the best of so many rounds counts (3)
  --scale N    how much of the workload: 1 is four million rows, 583 MB (1)
  --only provision
               nothing but pg_dump | psql and provisioning without verification, and where its time goes`);

const run = promisify(execFile);
const rounds = option('--rounds', 3);
const scale = option('--scale', 1);
const json = process.argv.includes('--json');
const only = process.argv.includes('--only') ? 'provision' : undefined;
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const home = mkdtempSync(join(tmpdir(), 'bauta-bench-'));
const bench = await startBench();
try {
  await main();
} finally {
  await bench.server.stop();
  rmSync(home, { recursive: true, force: true });
}

async function main(): Promise<void> {
  say(`server   ${(await bench.sql('postgres', 'SELECT version()'))[0]?.['version'] as string}`);
  say(`settings ${Object.entries({ fsync: 'off', full_page_writes: 'off', ...settings }).map((pair) => pair.join('=')).join(' ')}`); // prettier-ignore
  say(`machine  ${cpus().length} × ${cpus()[0]?.model}, Linux ${release()}, Node ${process.versions.node}`);
  await makeRoles(bench);
  await load(bench, 'large', scale);
  if (only === undefined) await load(bench, 'small', scale / 10);
  await bench.sql('postgres', 'CHECKPOINT');
  say(`loaded   scale ${only === undefined ? `${scale / 10} and ` : ''}${scale}`);

  const best = new Map<string, Measured>();
  if (only !== undefined) return provisionOnly(best);
  for (let round = 1; round <= rounds; round++) {
    await keepBest(best, 'psql copy', psqlCopy);
    await keepBest(best, 'copy', () => bauta('copy', 'large'));
    await keepBest(best, 'pg_dump | psql', dumpAndRestore);
    await keepBest(best, 'provision', () => bauta('provision', 'large'));
    await keepBest(best, 'verify', () => bauta('verify', 'large'));
  }
  const small = await bauta('verify', 'small');
  const large = best.get('verify') as Measured;
  const kernel = JSON.parse((await run(process.execPath, [packageFile('dist', 'bench', 'kernel.js'), '--json'])).stdout) as {
    kernelMBps: number;
  };
  say('  the log: some 40 seconds for a million entries');
  const log = JSON.parse(
    (await run(process.execPath, [packageFile('dist', 'bench', 'log.js'), '--json', '--entries', String(scale * 1e6)])).stdout,
  ) as Readonly<Record<string, number>>;
  const figure = (name: string): Measured => best.get(name) as Measured;
  const ratio = (ours: string, ceiling: string): number => round2(figure(ours).seconds / figure(ceiling).seconds);
  const result = {
    ratios: { copy: ratio('copy', 'psql copy'), provision: ratio('provision', 'pg_dump | psql'), verify: ratio('verify', 'provision') },
    peakRssBytes: { small: small.peakRssBytes, large: large.peakRssBytes },
    kernelMBps: kernel.kernelMBps,
    ...toStages(figure('provision')),
    log,
  };
  print(figure, result, small);
}

async function provisionOnly(best: Map<string, Measured>): Promise<void> {
  for (let round = 1; round <= rounds; round++) {
    await keepBest(best, 'pg_dump | psql', dumpAndRestore);
    await keepBest(best, 'provision', () => bauta('provision', 'large'));
  }
  const [ceiling, ours] = [best.get('pg_dump | psql') as Measured, best.get('provision') as Measured];
  const cpu = ({ serverCpuSeconds, clientCpuSeconds }: Measured): number => round2(serverCpuSeconds + clientCpuSeconds);
  const result = { ratios: { provision: round2(ours.seconds / ceiling.seconds) }, cpuSeconds: { ours: cpu(ours), psql: cpu(ceiling) } };
  process.stdout.write(`${JSON.stringify({ ...result, ...toStages(ours) }, undefined, json ? undefined : 1)}\n`);
}

/** How long each stage of a run took, and how much CPU of server and client: what is left of seconds × cores was waiting, or other programs. */
function toStages({ steps = [] }: Measured): Record<'stageSeconds' | 'stageCpuSeconds', Record<string, number>> {
  const since = (of: 'seconds' | 'cpuSeconds'): Record<string, number> =>
    Object.fromEntries(steps.map((step, i) => [step.name, round2(step[of] - (steps[i - 1]?.[of] ?? 0))]));
  return { stageSeconds: since('seconds'), stageCpuSeconds: since('cpuSeconds') };
}

function print(
  figure: (name: string) => Measured,
  result: {
    readonly ratios: Record<Mode, number>;
    readonly kernelMBps: number;
    readonly stageSeconds: Readonly<Record<string, number>>;
    readonly stageCpuSeconds: Readonly<Record<string, number>>;
    readonly log: Readonly<Record<string, number>>;
  },
  small: Measured,
): void {
  const rows: string[][] = [['', 'seconds', 'ratio', 'server CPU s', 'client CPU s', 'floor s', 'peak MB']];
  const row = (label: string, { seconds, serverCpuSeconds, clientCpuSeconds, peakRssBytes }: Measured, ratio?: number): void => {
    const floor = (serverCpuSeconds + clientCpuSeconds) / cpus().length;
    const memory = peakRssBytes === 0 ? '' : (peakRssBytes / 1e6).toFixed(0);
    rows.push([label, seconds.toFixed(2), ratio?.toFixed(2) ?? '', serverCpuSeconds.toFixed(1), clientCpuSeconds.toFixed(1), floor.toFixed(1), memory]); // prettier-ignore
  };
  row('COPY TO | COPY FROM by psql', figure('psql copy'));
  row('data path of Bauta, masked', figure('copy'), result.ratios.copy);
  row('pg_dump | psql', figure('pg_dump | psql'));
  row('provisioning, without verification', figure('provision'), result.ratios.provision);
  row('provisioning as shipped, verified (ratio to the line above)', figure('verify'), result.ratios.verify);
  row(`the same at a tenth of the rows`, small);
  const widths = (rows[0] as string[]).map((_, i) => Math.max(...rows.map((cells) => (cells[i] as string).length)));
  const text = rows.map((cells) => cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[i] as number))).join('  ')); // prettier-ignore
  const stages = Object.entries(result.stageSeconds).map(
    ([name, seconds]) => `${name} ${seconds} s (CPU ${result.stageCpuSeconds[name]} s)`,
  );
  const { log } = result;
  const audit = `${log['appendedSinglyPerSecond']} entries/s one after the other, ${log['appendedTogetherPerSecond']} together; all checked in ${log['verifySeconds']?.toFixed(1)} s`;
  const table = `${text.join('\n')}\nprovisioning without verification by stage: ${stages.join(', ')}\nlog: ${audit}\nmasking kernel, one thread: ${result.kernelMBps} MB/s of COPY text (node dist/bench/kernel.js: a figure per transform)\n`;
  if (json) say(table);
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : table);
}

async function keepBest(best: Map<string, Measured>, name: string, work: () => Promise<Measured>): Promise<void> {
  const measured = await work();
  say(`  ${name}: ${measured.seconds.toFixed(2)} s`);
  const before = best.get(name);
  const peakRssBytes = Math.max(measured.peakRssBytes, before?.peakRssBytes ?? 0);
  best.set(name, { ...(before && before.seconds <= measured.seconds ? before : measured), peakRssBytes });
}

async function psqlCopy(): Promise<Measured> {
  await recreate('psql_copy');
  await bench.shell(
    `pg_dump --section=pre-data -d "${bench.server.url('large')}" | psql -q -d "${bench.server.url('psql_copy')}" > /dev/null`,
  );
  const one = (table: string): string =>
    `psql -q -d "${bench.server.url('large')}" -c "COPY ${table} TO STDOUT" | psql -q -d "${bench.server.url('psql_copy')}" -c "COPY ${table} FROM STDIN"`;
  const timing = await bench.shell(`${one('customers')} && ${one('orders')}`);
  await bench.sql('postgres', 'DROP DATABASE psql_copy');
  return { ...timing, peakRssBytes: 0 };
}

async function dumpAndRestore(): Promise<Measured> {
  await bench.sql('postgres', 'DROP DATABASE IF EXISTS dumped');
  const timing = await bench.shell(
    `psql -q -d "${bench.server.url('postgres')}" -c 'CREATE DATABASE dumped' && ${BINARIES}/pg_dump -d "${bench.server.url('large')}" | psql -q -v ON_ERROR_STOP=1 -d "${bench.server.url('dumped')}" > /dev/null`,
  );
  await bench.sql('postgres', 'DROP DATABASE dumped');
  return { ...timing, peakRssBytes: 0 };
}

/** A fresh process; the target is new each time. CPU is that of the whole process, start-up included. */
async function bauta(mode: Mode, database: string): Promise<Measured> {
  await bench.sql('postgres', 'DROP DATABASE IF EXISTS masked');
  const env = {
    ...process.env,
    SOURCE_URL: urlAs(bench, 'source', database),
    TARGET_URL: urlAs(bench, 'target', 'masked'),
    BENCH_POSTMASTER: String(bench.postmaster),
  };
  let figures: RunFigures | undefined;
  const timing = await bench.time(async () => {
    const profile = process.env['BENCH_NODE_OPTIONS']?.split(' ') ?? [];
    const child = run(process.execPath, [...profile, packageFile('dist', 'bench', 'one-run.js'), mode, home], { env });
    figures = JSON.parse((await child).stdout) as RunFigures;
  });
  if (!figures) throw new Error('a run gave no figures');
  const { seconds, peakRssBytes, steps } = figures;
  say(`    ${steps.map((step) => `${step.name} ${step.seconds.toFixed(2)}`).join(', ')}; ${Math.round(peakRssBytes / 1e6)} MB`);
  return { ...timing, seconds, peakRssBytes, steps };
}

async function recreate(database: string): Promise<void> {
  await bench.sql('postgres', `DROP DATABASE IF EXISTS ${database}`);
  await bench.sql('postgres', `CREATE DATABASE ${database}`);
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
