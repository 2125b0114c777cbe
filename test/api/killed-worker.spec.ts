// kill -9 of a worker at any time: its run is taken over and finished, exactly one version of it is published, and the log has no gap.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { verifyChain } from '../../src/pipeline/audit/audit.js';
import { type ServiceWorld, startServiceWorld } from '../support/service.js';
import { type TinyWorld, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const ROUNDS = 3;

let tiny: TinyWorld;
let world: ServiceWorld;
let home: string;
let bob = '';
let environment: Record<string, string>;
const children = new Set<ChildProcess>();
beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(tiny.server);
  home = mkdtempSync(join(tmpdir(), 'bauta-killed-'));
  bob = await world.person('bob', ['policy-admin', 'requester']);
  environment = {
    ...{ PATH: process.env['PATH'] ?? '', BAUTA_HOME: home, BAUTA_HEARTBEAT_MS: '400', BAUTA_THREADS: '0' },
    ...{ BAUTA_METADATA: 'env:METADATA', METADATA: world.urls.service },
    ...{ BAUTA_METADATA_SEQUENCER: 'env:SEQUENCER', SEQUENCER: world.urls.sequencer },
    ...{ BAUTA_LOG_KEY: 'env:LOG_KEY', LOG_KEY: randomBytes(32).toString('base64') },
    ...{ BAUTA_SERVER_KEY: 'env:SERVER_KEY', SERVER_KEY: randomBytes(32).toString('base64') },
    // Two seconds of reading, so that there is something to kill.
    ...{ BAUTA_CONN_SOURCE: await tiny.source('shop'), BAUTA_SOURCE_ROWS_PER_SECOND: '250' },
    ...{ BAUTA_CONN_A: tiny.target('copy_a'), BAUTA_CONN_B: tiny.target('copy_b') },
  };
  for (const name of ['a', 'b']) {
    const text = [pipelineText, classificationText]
      .join('---\n')
      .replaceAll(/^name: tiny$/gm, `name: ${name}`)
      .replace('classification: tiny', `classification: ${name}`)
      .replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE')
      .replace('env:TARGET_URL', `env:BAUTA_CONN_${name.toUpperCase()}`);
    const { status } = await world.ask('POST', '/v1/apply', { token: bob, text, headers: { 'content-type': 'application/yaml' } });
    expect(status).toBe(200);
  }
});
afterAll(async () => {
  await Promise.all([...children].map((child) => end(child, 'SIGTERM')));
  await world.stop();
  await tiny.stop();
  rmSync(home, { recursive: true, force: true });
});

function begin(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [packageFile('dist', 'src', 'worker.js')], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  return new Promise((resolve, reject) => {
    let words = '';
    child.stderr.on('data', (chunk: Buffer) => {
      words += chunk.toString();
      if (words.includes('bauta works')) resolve(child);
    });
    child.once('close', () => reject(new Error(words)));
  });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  children.delete(child);
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill(signal);
  await closed;
}

const runs = async (): Promise<{ id: string; state: string; attempt: number; endedAt: string | null }[]> =>
  (await world.ask('GET', '/v1/runs?limit=200', { token: bob })).body['items'] as never;

it(`publishes each of ${2 * ROUNDS} runs exactly once, though a worker is killed under every pair of them`, async () => {
  let [one, other] = [await begin(), await begin()];
  const delays: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const pipeline of ['a', 'b']) expect((await world.ask('POST', '/v1/runs', { token: bob, json: { pipeline } })).status).toBe(201);
    delays.push(randomInt(100, 3500));
    await new Promise((resolve) => setTimeout(resolve, delays.at(-1)));
    await end(one, 'SIGKILL');
    [one, other] = [other, await begin()];
    for (const startedAt = performance.now(); (await runs()).some(({ endedAt }) => endedAt === null);) {
      if (performance.now() - startedAt > 60_000) throw new Error(`killed after ${delays.join(', ')} ms: ${JSON.stringify(await runs())}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  const all = await runs();
  process.stderr.write(`killed after ${delays.join(', ')} ms; attempts ${all.map(({ attempt }) => attempt).join(', ')}\n`);
  expect(all.map(({ state }) => state)).toEqual(Array.from({ length: 2 * ROUNDS }, () => 'published'));
  expect(all.some(({ attempt }) => attempt > 1)).toBe(true);

  // One dataset version per run: versions count without a hole, and each database of a version belongs to another run.
  for (const copy of ['copy_a', 'copy_b']) {
    const [current] = await tiny.server.sql('postgres', `SELECT count(*)::int AS n FROM pg_database WHERE datname = '${copy}'`);
    expect(current).toEqual({ n: 1 });
    expect(await tiny.server.sql(copy, 'SELECT count(*)::int AS n FROM app.person')).toEqual([{ n: 180 }]);
  }
  const published = await world.sql(
    `SELECT summary -> 'dataset' ->> 'target' AS target, array_agg((summary -> 'dataset' ->> 'version')::int ORDER BY id) AS versions FROM bauta.run GROUP BY 1 ORDER BY 1`,
  );
  const versions = Array.from({ length: ROUNDS }, (_, i) => i + 1);
  expect(published).toEqual([
    { target: 'copy_a', versions },
    { target: 'copy_b', versions },
  ]);

  // The log: drained, without a gap, and with one publication of each run.
  for (let waited = 0; waited < 5000 && (await world.sql('SELECT FROM bauta.outbox')).length > 0; waited += 100)
    await new Promise((resolve) => setTimeout(resolve, 100));
  const [log] = await world.sql('SELECT count(*)::int AS n, max(position)::int + 1 AS size FROM bauta.audit_leaf');
  expect(log?.['n']).toBe(log?.['size']);
  await world.metadata.within(world.workspaces.home, async ({ log: chain }) => {
    const verifier = (await chain.verifier())!;
    expect((await verifyChain(chain.files(), { verifier, known: [] })).findings).toEqual([]);
  });
  const once = await world.sql(
    `SELECT count(*)::int AS n FROM bauta.audit_leaf WHERE event ->> 'type' = 'run.published' GROUP BY event -> 'data' ->> 'run'`,
  );
  expect(once).toEqual(Array.from({ length: 2 * ROUNDS }, () => ({ n: 1 })));
}, 240_000);
