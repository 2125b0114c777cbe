// The same run by `bauta run` and by the service, in turn: what the control plane adds to a run. The reference workload at a tenth, verified, on a
// Postgres of its own; each time a process of `bauta run` from its start to its end, and a request to the running service until its run is published.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { packageFile } from '../src/kernel/package-root.js';
import { type Bench, urlAs } from './reference.js';
import type { ServiceProcess } from './service-process.js';

export interface OverheadFigures {
  readonly rounds: number;
  /** The best of each. */
  readonly aloneSeconds: number;
  readonly servedSeconds: number;
  readonly ratio: number;
  /** From round to round. */
  readonly ratios: readonly number[];
}

/** What documents of the service call the databases; to be in its environment. */
export const connectionsOf = (bench: Bench): Readonly<Record<string, string>> => ({
  BAUTA_CONN_SOURCE: urlAs(bench, 'source', 'source'),
  BAUTA_CONN_TARGET: urlAs(bench, 'target', 'served'),
});

export async function measureOverhead(bench: Bench, service: ServiceProcess, folder: string, rounds: number): Promise<OverheadFigures> {
  const { approval } = await service.ask('POST', '/v1/apply', documents(), 'application/yaml');
  // Columns that are kept: a second person has to agree.
  await service.approve(String((approval as { id?: unknown }).id));
  const taken: { readonly alone: number; readonly served: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const name of ['alone', 'served']) await bench.sql('postgres', `DROP DATABASE IF EXISTS ${name}`);
    // Who comes second finds the source in memory: each is it every other time.
    const servedFirst = round % 2 === 1 ? await runServed(service) : undefined;
    const alone = await runAlone(bench, join(folder, 'alone'));
    taken.push({ alone, served: servedFirst ?? (await runServed(service)) });
  }
  const [aloneSeconds, servedSeconds] = [Math.min(...taken.map(({ alone }) => alone)), Math.min(...taken.map(({ served }) => served))];
  const ratios = taken.map(({ alone, served }) => served / alone);
  return { rounds, aloneSeconds, servedSeconds, ratio: servedSeconds / aloneSeconds, ratios };
}

function documents(): string {
  const read = (name: string): string => readFileSync(packageFile('bench', 'workload', `${name}.yaml`), 'utf8');
  return [read('pipeline').replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE').replace('env:TARGET_URL', 'env:BAUTA_CONN_TARGET'), read('classification')].join('---\n'); // prettier-ignore
}

async function runAlone(bench: Bench, home: string): Promise<number> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    SOURCE_URL: urlAs(bench, 'source', 'source'),
    TARGET_URL: urlAs(bench, 'target', 'alone'),
  };
  const words = [packageFile('dist', 'src', 'cli.js'), 'run', '-f', packageFile('bench', 'workload', 'pipeline.yaml'), '--home', home];
  const startedAt = performance.now();
  const child = spawn(process.execPath, words, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`bauta run ended with ${String(code)}: ${said}`);
  return (performance.now() - startedAt) / 1000;
}

/** The end is the instant of the database's transition; both clocks are of this machine. */
async function runServed({ ask, database }: ServiceProcess): Promise<number> {
  const askedAtMs = Date.now();
  const { id } = await ask('POST', '/v1/runs', JSON.stringify({ pipeline: 'workload' }));
  for (;;) {
    const { rows } = await database.query<{ state: string; ended_at: Date | null; summary: unknown }>(
      'SELECT state, ended_at, summary FROM bauta.run WHERE id = $1',
      [id],
    );
    const [run] = rows;
    if (run?.ended_at && run.state !== 'published') throw new Error(`the run ended ${run.state}: ${JSON.stringify(run.summary)}`);
    if (run?.ended_at) break;
    await sleep(100);
  }
  const { rows } = await database.query<{ at: Date }>(`SELECT at FROM bauta.run_event WHERE run_id = $1 AND state = 'published'`, [id]);
  return ((rows[0]?.at.getTime() ?? Infinity) - askedAtMs) / 1000;
}
