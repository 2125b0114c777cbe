import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { eventsOf } from '../support/log.js';
import { type Sample, type World, startSample } from '../support/shop.js';

let sample: Sample;
beforeAll(async () => {
  sample = await startSample({ small: true });
}, 120_000);
afterAll(() => sample.stop());

/** Rows that anybody's COPY or query has read from the table, by the server's own count. */
async function readsOf(world: World, table: string): Promise<number> {
  const [row] = await world.source(
    `SELECT pg_stat_force_next_flush(); SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS n FROM pg_stat_all_tables WHERE relid = '${table}'::regclass`,
  );
  return Number(row?.['n']);
}

it('stops at a column that nobody tagged, names it, and reads no row', async () => {
  const world = await sample.world('untagged');
  await world.source('ALTER TABLE shop.customer ADD COLUMN diagnosis text');
  const before = await readsOf(world, 'shop.customer');
  const { summary, error } = await world.provision();
  expect(summary.state).toBe('failed');
  expect(error).toMatchObject({ code: 'PLAN_REFUSED' });
  expect(summary.findings.filter(({ severity }) => severity === 'error')).toMatchObject([
    { code: 'COLUMN_UNTAGGED', where: { schema: 'shop', table: 'customer', column: 'diagnosis' } },
  ]);
  expect(summary.tables).toEqual([]);
  expect(await readsOf(world, 'shop.customer')).toBe(before);
  await world.source('SELECT count(*) FROM shop.customer');
  expect(await readsOf(world, 'shop.customer')).toBe(before + 1000);
  expect(await sample.traces('untagged')).toEqual([]);
});

it('stops at a column that only a pattern would tag when it was not there as the pattern was confirmed', async () => {
  const world = await sample.world('later');
  await world.source('ALTER TABLE shop.survey ADD COLUMN answer_of_a_doctor text');
  const { summary } = await world.provision();
  expect(summary.state).toBe('failed');
  expect(summary.findings.filter(({ severity }) => severity === 'error')).toMatchObject([
    { where: { schema: 'shop', table: 'survey', column: 'answer_of_a_doctor' } },
  ]);
});

it('delivers nothing when the gate denies: no row read, no database, no role', async () => {
  const world = await sample.world('denied');
  world.edit('pipeline.yaml', 'allows: [pii, pci, secret, quasi]', 'allows: [pii, secret, quasi]');
  const before = await readsOf(world, 'shop.customer');
  const { summary, error } = await world.provision();
  expect(error).toBeUndefined();
  expect(summary.state).toBe('denied');
  expect(summary.decision?.allow).toBe(false);
  expect(summary.decision?.reasons.length).toBeGreaterThan(0);
  expect(summary.decision?.reasons.every(({ code, controlIds }) => code !== '' && controlIds.length > 0)).toBe(true);
  expect(await readsOf(world, 'shop.customer')).toBe(before);
  expect(await sample.traces('denied')).toEqual([]);
  const types = eventsOf(world.home).map(({ type }) => type);
  expect(types).toContain('plan.decided');
  expect(types).not.toContain('snapshot.opened');
});

it('refuses the source as its own target', async () => {
  const world = await sample.world('itself');
  const same = { TARGET_URL: sample.url('bauta_target', world.production) };
  const { summary } = await world.provision({ settings: same });
  expect(summary.state).toBe('failed');
  expect(summary.findings.map(({ code }) => code)).toContain('TARGET_IS_SOURCE');
  expect(await world.source('SELECT count(*)::int AS n FROM shop.customer')).toEqual([{ n: 1000 }]);
});

it('never replaces a database that is not ours unless the pipeline adopts it', async () => {
  const world = await sample.world('foreign');
  await sample.server.create('foreign_dev');
  await world.copy('CREATE TABLE precious AS SELECT 1 AS one');
  const { summary } = await world.provision();
  expect(summary.state).toBe('failed');
  expect(summary.findings.map(({ code }) => code)).toContain('TARGET_NOT_OURS');
  expect(await world.copy('SELECT one FROM precious')).toEqual([{ one: 1 }]);
});
