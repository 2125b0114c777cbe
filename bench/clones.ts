// Clones beside `cp -r` of the same files, and how long readers are without the database while a version is published and rolled back.
// Usage: node dist/bench/clones.js [--json] [--rounds N] [--scale N]
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import pg from 'pg';

import { systemClock } from '../src/kernel/clock.js';
import { newRunId } from '../src/kernel/ids.js';
import { packageFile } from '../src/kernel/package-root.js';
import { PostgresTarget } from '../src/systems/postgres/target/target.js';
import { exitForHelp, option } from './help.js';
import { type Bench, load, makeRoles, startBench, urlAs } from './reference.js';

exitForHelp(`Usage: node dist/bench/clones.js [--json] [--rounds N] [--scale N]

Publishes the reference workload with a template, clones it beside cp -r of the template's files, alternately, and measures for how long readers that
connect again at once are without the database when a version is published and rolled back.

  --json       one object instead of lines
  --rounds N   the best of so many rounds counts (3)
  --scale N    how much of the workload: 1 is four million rows, 583 MB of text (1)`);

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'bauta-bench-clones-'));
const bench = await startBench();
try {
  await main(bench);
} finally {
  await bench.server.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function main(of: Bench): Promise<void> {
  await makeRoles(of);
  await load(of, 'large', option('--scale', 1));
  const pipeline = readFileSync(packageFile('bench', 'workload', 'pipeline.yaml'), 'utf8');
  writeFileSync(join(folder, 'pipeline.yaml'), pipeline.replace('  class: dev', '  class: dev\n  clones: { max: 50 }'));
  writeFileSync(join(folder, 'classification.yaml'), readFileSync(packageFile('bench', 'workload', 'classification.yaml')));
  await provision(of);
  const target = new PostgresTarget({
    connection: { name: 'env:TARGET_URL', url: urlAs(of, 'target', 'copy') },
    schemaStatements: () => ({ preData: [], postData: [] }),
    clock: systemClock,
  });
  const [template] = await of.sql('postgres', `SELECT oid, datname FROM pg_database WHERE datname LIKE '%template' AND NOT datistemplate`);
  const [size] = await of.sql('postgres', `SELECT pg_database_size(${String(template?.['oid'])}::oid)::float8 AS bytes`);
  const files = join(of.server.dataFolder, 'base', String(template?.['oid']));
  const cloned: number[] = [];
  const copied: number[] = [];
  for (let round = 0; round < option('--rounds', 3); round++) {
    // On the disk of the server's data.
    const to = mkdtempSync(join(dirname(of.server.dataFolder), 'bauta-bench-cp-'));
    copied.push(await time(() => copyFiles(files, to)));
    rmSync(to, { recursive: true, force: true });
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const id = newRunId(Date.now());
    cloned.push(await time(() => target.clones.make({ id, for: 'bench', expiresAt, lastsUntil: expiresAt, max: 50 })));
    await target.clones.drop(id);
  }
  const published = await longestGap(of, () => provision(of));
  let rollbackSeconds = 0;
  const rolledBack = await longestGap(of, async () => void (rollbackSeconds = await time(() => target.rollback())));
  await target.close();
  const figures = {
    megabytes: Math.round(Number(size?.['bytes']) / 1e6),
    cloneSeconds: Math.min(...cloned),
    cpSeconds: Math.min(...copied),
    ratio: Math.min(...cloned) / Math.min(...copied),
    publishGapSeconds: published,
    rollbackGapSeconds: rolledBack,
    rollbackSeconds,
    freeGigabytes: Math.round((statfsSync(folder).bavail * statfsSync(folder).bsize) / 1e9),
  };
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(figures)}\n`);
  else
    for (const [name, figure] of Object.entries(figures)) process.stdout.write(`${name.padEnd(20)} ${Math.round(figure * 1000) / 1000}\n`);
}

async function provision(of: Bench): Promise<void> {
  const env = { ...process.env, SOURCE_URL: urlAs(of, 'source', 'large'), TARGET_URL: urlAs(of, 'target', 'copy'), BAUTA_HOME: folder };
  await run(process.execPath, [packageFile('dist', 'src', 'cli.js'), 'run', '-f', join(folder, 'pipeline.yaml')], { env });
}

async function copyFiles(files: string, to: string): Promise<void> {
  await run('cp', ['-r', files, join(to, 'copy')]);
}

async function time(work: () => unknown): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

/** The longest time between two answers to any of eight readers who connect again at once, while the work is done. */
async function longestGap(of: Bench, work: () => Promise<void>): Promise<number> {
  await of.sql(
    'postgres',
    `DO $$ BEGIN CREATE ROLE reader LOGIN PASSWORD 'bench' IN ROLE copy_ro; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
  );
  const url = of.server.url('copy').replace(/\/\/[^@]*@/, '//reader:bench@');
  const running = { on: true };
  const gaps = Array.from({ length: 8 }, () => 0);
  const read = async (reader: number): Promise<void> => {
    let answeredAt = performance.now();
    while (running.on) {
      const client = new pg.Client({ connectionString: url });
      client.on('error', () => undefined);
      try {
        await client.connect();
        while (running.on) {
          await client.query('SELECT 1 FROM public.customers LIMIT 1');
          gaps[reader] = Math.max(gaps[reader] ?? 0, performance.now() - answeredAt);
          answeredAt = performance.now();
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 5));
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  };
  const readers = gaps.map((_, reader) => read(reader));
  await new Promise((resolve) => setTimeout(resolve, 500));
  await work();
  await new Promise((resolve) => setTimeout(resolve, 500));
  running.on = false;
  await Promise.all(readers);
  return Math.max(...gaps) / 1000;
}
