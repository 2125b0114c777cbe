// The outbox becomes the log: every committed event once, none of a transaction that was rolled back, no gap; and another sequencer takes over.
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { Metadata, Sequencer } from '../../src/systems/metadata/metadata.js';
import { type TestServer, startTestServer } from '../support/server.js';
import { prepareMetadata } from '../support/service.js';

let server: TestServer;
let metadata: Metadata;
let workspace = '';
const sequencers: Sequencer[] = [];
beforeAll(async () => {
  server = await startTestServer();
  const urls = await prepareMetadata(server, 'metadata');
  metadata = await Metadata.open(urls.service, 5);
  workspace = String((await server.sql('metadata', 'SELECT id FROM bauta.workspace'))[0]?.['id']);
  for (let i = 0; i < 3; i++) sequencers.push(new Sequencer(urls.sequencer, () => undefined));
});
afterAll(async () => {
  for (const sequencer of sequencers) await sequencer.stop();
  await metadata.close();
  await server.stop();
});

const leaves = (): Promise<Record<string, unknown>[]> =>
  server.sql('metadata', `SELECT position::int AS position, (event -> 'data' ->> 'n')::int AS n FROM bauta.audit_leaf ORDER BY position`);

async function write(from: number, to: number): Promise<void> {
  const one = (n: number): Promise<void> =>
    metadata
      .within(workspace, async (transaction) => {
        await transaction.audit({ type: 'test.happened', at: '2026-01-01T00:00:00.000Z', data: { n } });
        if (n % 5 === 0) throw new Error('rolled back');
      })
      .catch(() => undefined);
  await Promise.all(Array.from({ length: to - from }, (_, i) => one(from + i)));
}

async function until(holds: () => Promise<boolean>, ms: number): Promise<number> {
  const startedAt = performance.now();
  while (!(await holds())) {
    if (performance.now() - startedAt > ms) throw new Error(`did not come within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return performance.now() - startedAt;
}

const drained = async (): Promise<boolean> => (await server.sql('metadata', 'SELECT FROM bauta.outbox')).length === 0;

it('gives every committed event one position, without a gap, whoever sequences and whoever is killed', async () => {
  await write(0, 200);
  await until(drained, 5000);
  // The holder of the lock loses its session; one of the others goes on.
  const held = await server.sql('metadata', `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted`);
  expect(held).toHaveLength(1);
  await write(200, 400);
  await until(drained, 5000);
  const all = await leaves();
  expect(all.map(({ position }) => position)).toEqual(Array.from({ length: 320 }, (_, i) => i));
  const committed = Array.from({ length: 400 }, (_, n) => n).filter((n) => n % 5 !== 0);
  expect(all.map(({ n }) => Number(n)).sort((a, b) => a - b)).toEqual(committed);
});
