// A source that is looked at by the clock: a run is asked for when its schema is another one, and for nothing else.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { RunWorker } from '../../src/control/runs/runs.js';
import { Scheduler } from '../../src/control/schedules/schedules.js';
import { type ServiceWorld, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const now = { ms: Date.parse('2026-10-01T00:00:00Z') };
const clock = { now: (): number => now.ms };
let tiny: TinyWorld;
let world: ServiceWorld;
let worker: RunWorker;
let home = '';
const connections: Record<string, string> = {};
beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(tiny.server, clock);
  home = mkdtempSync(join(tmpdir(), 'bauta-look-'));
  connections['BAUTA_CONN_SOURCE'] = await tiny.source('shop');
  connections['BAUTA_CONN_TARGET'] = tiny.target('copy');
  worker = await startRunWorker(world, home, connections);
  const ada = await world.person('ada', ['policy-admin']);
  const documents = [pipelineText.replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE').replace('env:TARGET_URL', 'env:BAUTA_CONN_TARGET'), classificationText,
    `kind: Schedule\nname: drift\npipeline: tiny\ncron: '@hourly'\nwhen: schema-changed\n`]; // prettier-ignore
  const { status, body } = await world.ask('POST', '/v1/apply', { token: ada, text: documents.join('---\n'), headers: { 'content-type': 'application/yaml' } }); // prettier-ignore
  expect([status, body['findings']]).toEqual([200, undefined]);
});
afterAll(async () => {
  await ended();
  await worker.stop();
  await world.stop();
  await tiny.stop();
  rmSync(home, { recursive: true, force: true });
});

const events = async (): Promise<Record<string, unknown>[]> =>
  (await world.told()).filter(({ type }) => type.startsWith('schedule.look')).map(({ type, data }) => ({ type, data }));

/** The next full hour comes; gives what the look at it said. */
async function look(): Promise<Record<string, unknown> | undefined> {
  const before = (await events()).length;
  now.ms += 3_600_000;
  await new Scheduler({ metadata: world.metadata, clock, failed: (error) => { throw error; } }).tick(); // prettier-ignore
  for (const startedAt = performance.now(); performance.now() - startedAt < 20_000;) {
    const found = await events();
    if (found.length > before) return found.at(-1);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return undefined;
}
const runs = (): Promise<Record<string, unknown>[]> =>
  world.sql(`SELECT pipeline, cause ->> 'name' AS by, due_at FROM bauta.run ORDER BY id`);

/** What was asked for fails: a column is not classified. Until then nothing else is asked for. */
async function ended(): Promise<void> {
  for (const startedAt = performance.now(); performance.now() - startedAt < 20_000;) {
    if ((await world.sql('SELECT FROM bauta.run WHERE ended_at IS NULL')).length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

it('asks for a run when the schema is another one, once, and says of every look what it saw', async () => {
  expect(await look()).toMatchObject({ type: 'schedule.looked', data: { schedule: 'drift', changed: false, run: null } });
  await tiny.server.sql('shop', 'INSERT INTO app.product SELECT $$N$$ || p.sku, title, price FROM app.product p; ANALYZE');
  expect(await look()).toMatchObject({ data: { changed: false, run: null } });
  expect(await runs()).toEqual([]);

  await tiny.server.sql('shop', 'ALTER TABLE app.product ADD COLUMN colour text');
  const looked = await look();
  expect(looked).toMatchObject({ data: { changed: true, run: expect.any(String) } });
  expect(await runs()).toEqual([{ pipeline: 'tiny', by: 'drift', due_at: new Date('2026-10-01T03:00:00Z') }]);
  await ended();
  expect(await look()).toMatchObject({ data: { changed: false, run: null } });
  expect(await runs()).toHaveLength(1);
});

it('says that it could not look, and looks again when it is due again', async () => {
  const reference = connections['BAUTA_CONN_SOURCE'] ?? '';
  delete connections['BAUTA_CONN_SOURCE'];
  expect(await look()).toMatchObject({ type: 'schedule.look-failed', data: { schedule: 'drift', code: expect.any(String) } });
  connections['BAUTA_CONN_SOURCE'] = reference;
  await tiny.server.sql('shop', 'ALTER TABLE app.product DROP COLUMN colour');
  await ended();
  expect(await look()).toMatchObject({ data: { changed: true } });
  expect(await runs()).toHaveLength(2);
});
