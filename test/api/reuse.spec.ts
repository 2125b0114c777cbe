// A run of the service for which a version that is there will do: asked for by request, an end of its own, and an event of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { RunWorker } from '../../src/control/runs/runs.js';
import { type ServiceWorld, startRunWorker, startServiceWorld } from '../support/service.js';
import { type TinyWorld, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

type Run = Record<string, unknown> & { readonly summary: Record<string, unknown> };

let tiny: TinyWorld;
let world: ServiceWorld;
let home: string;
let worker: RunWorker;
let bob = '';
beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(tiny.server);
  home = mkdtempSync(join(tmpdir(), 'bauta-reuse-'));
  bob = await world.person('bob', ['policy-admin', 'requester']);
  const connections = { BAUTA_CONN_SOURCE: await tiny.source('shop'), BAUTA_CONN_TARGET: tiny.target('copy') };
  const text = [pipelineText, classificationText].join('---\n').replaceAll(/env:(SOURCE|TARGET)_URL/g, 'env:BAUTA_CONN_$1');
  const { status } = await world.ask('POST', '/v1/apply', { token: bob, text, headers: { 'content-type': 'application/yaml' } });
  expect(status).toBe(200);
  worker = await startRunWorker(world, home, connections);
}, 60_000);
afterAll(async () => {
  await worker.stop();
  await world.stop();
  await tiny.stop();
  rmSync(home, { recursive: true, force: true });
});

async function run(more: object = {}): Promise<Run> {
  const { status, body } = await world.ask('POST', '/v1/runs', { token: bob, json: { pipeline: 'tiny', ...more } });
  expect([status, body]).toMatchObject([201, {}]);
  for (const startedAt = performance.now(); performance.now() - startedAt < 30_000;) {
    const { body: now } = await world.ask('GET', `/v1/runs/${String(body['id'])}`, { token: bob });
    if (now['endedAt'] !== null) return now as Run;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the run does not end');
}

it('ends as reused, with the version and its age, when nothing has changed; and makes a version when nobody asks for reuse', async () => {
  const made = await run();
  expect([made['state'], made['reuse']]).toEqual(['published', false]);
  const taken = await run({ reuse: true });
  expect([taken['state'], taken['reuse'], taken['movedRows']]).toEqual(['reused', true, 0]);
  expect(taken.summary).toMatchObject({
    ...{ state: 'reused', dataset: { target: 'copy', version: 1 } },
    reused: { version: 1, runId: made['id'], ageSeconds: expect.any(Number), unchangedUntil: expect.stringMatching(/Z$/) },
  });
  const told = await world.told('dataset.reused', 'run.reused', 'dataset.published.done');
  expect(told.map(({ type, runId, data }) => [type, runId || data['run']])).toEqual([
    ['dataset.published.done', made['id']],
    ['dataset.reused', taken['id']],
    ['run.reused', taken['id']],
  ]);
  expect((await run()).summary).toMatchObject({ state: 'published', dataset: { version: 2 } });
}, 90_000);

it('makes a new version when the source has changed, and says why in the log of the run', async () => {
  await tiny.server.sql('shop', `UPDATE app.product SET title = 'another' WHERE sku = 'P1'`);
  const changed = await run({ reuse: true });
  expect(changed['state']).toBe('published');
  const why = (await world.told('dataset.not-reused')).filter(({ runId }) => runId === changed['id']).map(({ data }) => data['why']);
  expect(why).toEqual(['the source has changed since version 2, or its counters began anew']);
}, 60_000);
