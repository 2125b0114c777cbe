// What is asked of a worker beside runs: done by one that may, once, or said not to have been done; and nothing of it is seen elsewhere.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { type Answer, type ServiceWorld, startErrandWorker, startServiceWorld } from '../support/service.js';
import { classificationText, pipelineText } from '../support/tiny-source.js';

let world: ServiceWorld;
let folder: string;
const tokens: Record<string, string> = {};
beforeAll(async () => {
  world = await startServiceWorld();
  folder = mkdtempSync(join(tmpdir(), 'bauta-errands-'));
  tokens['operator'] = await world.person('olga', ['operator']);
  tokens['elsewhere'] = await world.person('elsa', ['operator@prod']);
  tokens['foreign'] = await world.person('fay', ['operator'], 'foreign');
  const author = await world.person('ada', ['policy-admin']);
  const pipeline = pipelineText.replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE').replace('env:TARGET_URL', 'env:BAUTA_CONN_TARGET');
  const text = `${pipeline.replace('import: [classification.yaml]\n', '')}---\n${classificationText}`;
  const applied = await world.ask('POST', '/v1/apply', { token: author, text, headers: { 'content-type': 'application/yaml' } });
  expect([applied.status, applied.body]).toMatchObject([200, {}]);
  await world.startSequencer();
});
afterAll(async () => {
  await world.stop();
  rmSync(folder, { recursive: true, force: true });
});

const post = (noun: string, more: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  world.ask('POST', `/v1/${noun}`, { token: tokens['operator']!, json: { pipeline: 'tiny' }, headers: more });
const get = (noun: string, id: unknown, who = 'operator'): Promise<Answer> =>
  world.ask('GET', `/v1/${noun}/${String(id)}`, { token: tokens[who]! });
const startErrands = (pool: string): ReturnType<typeof startErrandWorker> =>
  startErrandWorker(world, folder, {}, { BAUTA_POOL_TAGS: pool });

it('is asked for once for each Idempotency-Key, and is there for whoever may see its environment', async () => {
  const made = await post('rollbacks', { 'idempotency-key': 'one' });
  expect([made.status, made.body]).toMatchObject([202, { pipeline: 'tiny', environment: 'dev', endedAt: null, result: null, error: null }]);
  const { id } = made.body;
  expect(made.headers.get('location')).toBe(`/v1/rollbacks/${String(id)}`);
  const again = await post('rollbacks', { 'idempotency-key': 'one' });
  expect([again.status, again.body['id']]).toEqual([202, id]);
  expect(await world.told('rollback.requested')).toHaveLength(1);
  expect((await get('rollbacks', id)).body).toMatchObject({ id, startedAt: null, endedAt: null });
  // Of another environment, another workspace, another noun; and of none at all.
  for (const [noun, which, who] of [
    ['rollbacks', id, 'elsewhere'],
    ['rollbacks', id, 'foreign'],
    ['plans', id, 'operator'],
    ['rollbacks', '0', 'operator'],
  ] as const)
    // prettier-ignore
    expect([noun, who, (await get(noun, which, who)).status]).toEqual([noun, who, 404]);
  expect((await world.ask('POST', '/v1/rollbacks', { token: tokens['elsewhere']!, json: { pipeline: 'tiny' } })).status).toBe(403);
});

it('that no worker takes within a minute is not done any more, and that is said and told', async () => {
  const { id } = (await post('rollbacks')).body;
  await world.sql(`UPDATE bauta.errand SET created_at = created_at - interval '61 s' WHERE id = '${String(id)}'`);
  const errands = await startErrands('pii,pci,phi,special,sensitive,secret,quasi');
  await until(async () => Number((await world.sql('SELECT count(*) AS n FROM graphile_worker._private_jobs'))[0]?.['n']) === 0);
  await errands.stop();
  for (let i = 0; i < 2; i++)
    expect((await get('rollbacks', id)).body).toMatchObject({ startedAt: null, endedAt: expect.any(String), error: { code: 'ERRAND_UNCLAIMED' } }); // prettier-ignore
  expect((await world.told('rollback.failed')).filter(({ data }) => data['rollback'] === id)).toMatchObject([
    { data: { code: 'ERRAND_UNCLAIMED' } },
  ]);
});

it('of a worker that is gone is said to be abandoned, and nobody does it a second time', async () => {
  const { id } = (await post('rollbacks')).body;
  await world.sql(
    `UPDATE bauta.errand SET started_at = now() - interval '31 s', heard_at = now() - interval '31 s' WHERE id = '${String(id)}'`,
  );
  const errands = await startErrands('pii,pci,phi,special,sensitive,secret,quasi');
  expect((await get('rollbacks', id)).body).toMatchObject({ result: null, error: { code: 'ERRAND_ABANDONED' } });
  await errands.stop();
  expect(await world.told('dataset.rolled-back.intended')).toEqual([]);
});

it('is for a worker that may touch the tags of the pipeline, and what goes wrong there is what is answered', async () => {
  const lesser = await startErrands('quasi');
  const { id } = (await post('plans')).body;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect((await get('plans', id)).body).toMatchObject({ startedAt: null });
  await lesser.stop();
  const errands = await startErrands('pii,quasi');
  await until(async () => (await get('plans', id)).body['endedAt'] !== null);
  // This worker has no such connection.
  expect((await get('plans', id)).body).toMatchObject({ result: null, error: { code: 'CONNECTION_REFERENCE_INVALID', findings: [] } });
  const listed = await world.ask('GET', '/v1/datasets?pipeline=tiny', { token: tokens['operator']! });
  expect([listed.status, listed.body['code']]).toEqual([422, 'CONNECTION_REFERENCE_INVALID']);
  await errands.stop();
});

it('waits for no longer than a worker may be waited for', async () => {
  const asked = world.ask('GET', '/v1/datasets?pipeline=tiny', { token: tokens['operator']! });
  await until(async () => {
    const aged = `UPDATE bauta.errand SET created_at = created_at - interval '61 s' WHERE kind = 'datasets' AND ended_at IS NULL RETURNING id`;
    return (await world.sql(aged)).length > 0;
  });
  const { status, body } = await asked;
  expect([status, body['code']]).toEqual([503, 'ERRAND_UNCLAIMED']);
});

it('is forgotten after a day', async () => {
  await world.sql(`UPDATE bauta.errand SET created_at = created_at - interval '25 h'`);
  const { id } = (await post('plans')).body;
  expect(await world.sql('SELECT id FROM bauta.errand')).toEqual([{ id }]);
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not come to it');
}
