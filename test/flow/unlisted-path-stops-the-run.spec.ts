import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { type Sample, type World, requirePublished, startSample } from '../support/shop.js';

let sample: Sample;
beforeAll(async () => {
  sample = await startSample({ small: true });
}, 120_000);
afterAll(() => sample.stop());

/** A log of 200,000 rows with JSON in each. */
async function worldWithLog(name: string): Promise<World> {
  const world = await sample.world(name);
  await world.source(`CREATE TABLE shop.event_log (id int PRIMARY KEY, body jsonb NOT NULL);
    INSERT INTO shop.event_log SELECT i, jsonb_build_object('kind', 'click', 'by', 'user' || i || '@mail.ru') FROM generate_series(1, 200000) i;
    ANALYZE shop.event_log`);
  world.edit(
    'classification.yaml',
    '  shop.session:\n',
    '  shop.event_log:\n    columns: { id: pii.key, body: { paths: { kind: none, by: pii.email } } }\n  shop.session:\n',
  );
  return world;
}

it('masks 200,000 documents whose paths are all listed', async () => {
  const world = await worldWithLog('listed');
  requirePublished(await world.provision());
  expect(
    await world.copy(
      `SELECT count(*)::int AS n, count(DISTINCT body ->> 'by')::int AS people, count(*) FILTER (WHERE body ->> 'by' LIKE '%@example.com' AND body ->> 'kind' = 'click')::int AS masked FROM shop.event_log`,
    ),
  ).toEqual([{ n: 200_000, people: 200_000, masked: 200_000 }]);
}, 240_000);

it('stops at the one row in 200,000 that has a path nobody listed, naming the path and never the value, and leaves nothing behind', async () => {
  const world = await worldWithLog('unlisted');
  await world.source(`UPDATE shop.event_log SET body = body || '{"patient": {"diagnosis": "a very secret illness"}}' WHERE id = 171717`);
  const { summary, error } = await world.provision();
  expect(summary.state).toBe('failed');
  expect(error).toMatchObject({ where: { schema: 'shop', table: 'event_log', column: 'body', path: 'patient' } });
  const told = JSON.stringify([summary, error, String(error), (error as Error).stack]);
  const logs = readdirSync(join(world.home, 'log'), { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => readFileSync(join(file.parentPath, file.name), 'utf8'));
  expect(logs.length).toBeGreaterThan(0);
  for (const text of [told, ...logs]) expect(text).not.toMatch(/secret illness|171717@|user171717/);
  expect(await sample.traces('unlisted')).toEqual([]);
}, 240_000);

it('shows no key that is data itself', async () => {
  const world = await sample.world('keys');
  await world.source(`UPDATE shop.customer SET profile = profile || '{"anna.karenina@mail.ru": true}' WHERE id = 77`);
  const { summary, error } = await world.provision();
  expect(summary.state).toBe('failed');
  expect(error).toMatchObject({ where: { table: 'customer', column: 'profile', path: '*' } });
  expect(JSON.stringify([summary, error, String(error)])).not.toContain('karenina');
  // A plain word may be a person's name all the same; only the detectors know, and the masking threads have none.
  const other = await sample.world('given_names');
  await other.source(`UPDATE shop.customer SET profile = '{"contact": {"Anna": true}}' WHERE id = 77`);
  const ended = await other.provision();
  expect(ended.error).toMatchObject({ where: { table: 'customer', column: 'profile', path: 'contact.*' } });
  expect(JSON.stringify([ended.summary, ended.error, String(ended.error)])).not.toContain('Anna');
});

it('drops or keeps what nobody listed only where the document says so', async () => {
  const world = await sample.world('rest');
  await world.source(
    `UPDATE shop.customer SET profile = profile || '{"secret": "a very secret illness"}', attributes = attributes || 'hat=>large' WHERE id % 3 = 0`,
  );
  world.edit('classification.yaml', 'profile:\n        {', 'profile:\n        {\n          rest: drop,');
  world.edit(
    'classification.yaml',
    'size: none }',
    'size: none }, rest: keep, reason: sizes of clothes say nothing of a person, expires: 2027-12-31',
  );
  requirePublished(await world.provision());
  expect(
    await world.copy(
      `SELECT count(*) FILTER (WHERE profile ? 'secret')::int AS dropped, count(*) FILTER (WHERE attributes -> 'hat' = 'large')::int AS kept FROM shop.customer`,
    ),
  ).toEqual([{ dropped: 0, kept: 333 }]);
});
