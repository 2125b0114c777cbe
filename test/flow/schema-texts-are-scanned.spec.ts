// Personal data in the schema itself is copied by every tool that dumps schemas; here it stops the plan.
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { BautaError } from '../../src/kernel/errors.js';
import { type Sample, type World, startSample } from '../support/shop.js';

let sample: Sample;
let world: World;
beforeAll(async () => {
  sample = await startSample();
  world = await sample.world('texts');
  await world.source(`ALTER TABLE shop.product ADD COLUMN contact text DEFAULT 'anna.canary@realmail.com';
    COMMENT ON TABLE shop.store IS 'ask Ben, +44 20 7946 0812, before you change this'`);
  world.edit('classification.yaml', 'columns: [sku,', 'columns: [contact, sku,');
}, 120_000);
afterAll(() => sample.stop());

it('stops a schema with an address in a default and a number in a comment, and names places, never texts', async () => {
  const { summary, error } = await world.provision();
  expect(summary.state).toBe('failed');
  const found = (error as BautaError).findings.filter(({ code }) => code === 'SCHEMA_TEXT_PERSONAL');
  expect(found.map(({ where }) => where.object)).toEqual(
    expect.arrayContaining([expect.stringContaining('shop.product'), expect.stringContaining('shop.store')]),
  );
  expect(JSON.stringify(summary) + JSON.stringify(found)).not.toMatch(/anna|realmail|7946/);
});

it('goes on when the pipeline keeps the one with a reason and drops the other, and the dropped one is gone', async () => {
  const { error } = await world.provision();
  const objects = (error as BautaError).findings
    .filter(({ code }) => code === 'SCHEMA_TEXT_PERSONAL')
    .map(({ where }) => where.object ?? '');
  const [kept, dropped] = [objects.find((object) => object.includes('product')), objects.find((object) => object.includes('store'))];
  world.edit(
    'pipeline.yaml',
    'overrides:',
    `schemaTexts:
  - { object: '${kept}', action: keep, reason: a test box that nobody reads, expires: 2099-01-01 }
  - { object: '${dropped}', action: drop, reason: the note is for production }
overrides:`,
  );
  const { summary } = await world.provision();
  expect([summary.state, summary.findings.filter(({ severity }) => severity === 'error')]).toEqual(['published', []]);
  expect(await world.copy(`SELECT obj_description('shop.store'::regclass) AS comment`)).toEqual([{ comment: null }]);
});
