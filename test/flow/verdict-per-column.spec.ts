// What the verification says of each personal column of three data sets, held against tables that people have looked at: test/flow/verdicts.
// UPDATE_VERDICTS=1 writes them anew; read the difference critically.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

import { afterEach, describe, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import type { Verdict } from '../../src/pipeline/verify/verify.js';
import { debianProgram, hasDebianServer } from '../support/debian-server.js';
import { hasPagila, startPagila } from '../support/pagila.js';
import { startTestServer } from '../support/server.js';
import { type Sample, requirePublished, startSample } from '../support/shop.js';

let sample: Sample | undefined;
afterEach(async () => {
  await sample?.stop();
  sample = undefined;
});

/** Column, tag, verdict and reason, and how many values were compared; how many of them came out as they were hangs on the key. */
function toLine({ schema, table, column, path, tag, verdict, why, rows, pairs }: Verdict): string {
  const name = [schema, table, column].join('.') + (path === undefined ? '' : ` ${path}`);
  const size = pairs ? `${pairs.distinct} of ${rows} rows` : `${rows} rows`;
  return [name, tag, verdict, size, why.replace(/: \d+ of .*/, '')].join(' | ');
}

async function compare(name: string, started: Sample): Promise<void> {
  sample = started;
  const world = await started.world(name);
  const verdicts = requirePublished(await world.provision()).verdicts as unknown as readonly Verdict[];
  expect(verdicts.filter(({ originals, pairs }) => originals > 0 || (pairs?.notOne ?? 0) > 0)).toEqual([]);
  for (const { pairs } of verdicts) expect(pairs?.distinct ?? 0).toBeLessThanOrEqual(pairs?.rows ?? 0);
  const text = verdicts.map((verdict) => `${toLine(verdict)}\n`).join('');
  const file = packageFile('test', 'flow', 'verdicts', `${name}.txt`);
  if (process.env['UPDATE_VERDICTS'] === '1') writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
}

/** Beside the project, or where BENCH_WORKLOAD says. */
const workload = process.env['BENCH_WORKLOAD'] ?? packageFile('..', 'shared', 'bench', 'reference.sql');

function hasWorkload(): boolean {
  if (existsSync(workload)) return true;
  if (process.env['BAUTA_WORLD'] === 'required') throw new Error('the reference workload is not there');
  process.stderr.write('SKIPPED: the reference workload is not there (../shared/bench beside the project, BENCH_WORKLOAD)\n');
  return false;
}

const hasPsql = hasDebianServer();

describe('each personal column has the verdict that people found right', () => {
  it('in the sample shop', async () => {
    await compare('shop', await startSample({ small: true }));
  });

  (hasPsql && hasPagila() ? it : it.skip)('in Pagila', async () => {
    await compare('pagila', await startPagila(await startTestServer()));
  });

  (hasPsql && hasWorkload() ? it : it.skip)('in the reference workload, 10,000 customers of it', async () => {
    const load = (server: { url(database: string): string }, database: string): Promise<void> => {
      const words = ['-q', '-X', '-v', 'ON_ERROR_STOP=1', '-v', 'scale=0.01', '-d', server.url(database), '-f', workload];
      execFileSync(debianProgram('psql'), words, { stdio: ['ignore', 'ignore', 'pipe'] });
      return Promise.resolve();
    };
    await compare('workload', await startSample({ documents: packageFile('bench', 'workload'), load }));
  });
});
