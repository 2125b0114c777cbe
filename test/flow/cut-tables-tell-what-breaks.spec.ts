import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { Prepared } from '../../src/pipeline/prepare.js';
import { type Sample, requirePublished, startSample } from '../support/shop.js';

let sample: Sample;
beforeAll(async () => {
  sample = await startSample({ small: true });
}, 120_000);
afterAll(() => sample.stop());

it('leaves the rows of a table away, and of another all but some, where nothing refers to what is missing', async () => {
  const world = await sample.world('cut');
  world.edit(
    'pipeline.yaml',
    'retentionDays: 30',
    `retentionDays: 30\ntables:\n  shop.session: none\n  shop.visit: { rows: { where: customer_id IS NOT NULL AND page <> '/p/3' } }`,
  );
  const summary = requirePublished(await world.provision());
  const expected = await world.source(`SELECT count(*)::int AS n FROM shop.visit WHERE customer_id IS NOT NULL AND page <> '/p/3'`);
  expect(await world.copy('SELECT count(*)::int AS n FROM shop.visit')).toEqual(expected);
  expect(Number(expected[0]?.['n'])).toBeGreaterThan(100);
  expect(await world.copy('SELECT count(*)::int AS n FROM shop.session')).toEqual([{ n: 0 }]);
  expect(await world.copy('SELECT count(*)::int AS n FROM shop.customer')).toEqual([{ n: 1000 }]);
  expect(summary.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  // The schema is whole all the same.
  expect(
    await world.copy(
      `SELECT count(*)::int AS n FROM pg_constraint WHERE conrelid = 'shop.session'::regclass AND contype IN ('p', 'f', 'u')`,
    ),
  ).toEqual([{ n: 3 }]);
});

it('names every reference that a cut table breaks, with its rows counted before a row is read, and makes it for the rows that come', async () => {
  const world = await sample.world('broken');
  world.edit(
    'pipeline.yaml',
    'retentionDays: 30',
    `retentionDays: 30\ntables:\n  shop.product: { rows: { where: sku > 'SKU-00250' } }\n  shop.address: none\n  shop."order": { rows: { where: id > 500 } }\n  shop.order_item: { rows: { where: order_id > 500 } }\n  shop.payment: { rows: { where: order_id > 500 } }`,
  );
  const [expected] =
    await world.source(`SELECT (SELECT count(*) FROM shop.order_item WHERE sku <= 'SKU-00250' AND order_id > 500)::int AS items,
    (SELECT count(*) FROM shop."order" WHERE ship_label IS NOT NULL AND id > 500)::int AS orders`);
  expect(Number(expected?.['items'])).toBeGreaterThan(100);
  let planned: readonly unknown[] = [];
  const told = ({ findings }: Pick<Prepared, 'findings'>, code: string): unknown[] =>
    findings
      .filter((finding) => finding.code === code)
      .map(({ severity, where }) => [severity, where.table, where.constraint, where.amount]);
  const ended = await world.provision({ hooks: { prepared: (prepared) => (planned = told(prepared, 'PLAN_REFERENCE_CUT')) } });
  const summary = requirePublished(ended);
  const broken = [
    ['warning', 'order', 'order_ship_customer_id_ship_label_fkey', `${String(expected?.['orders'])} rows`],
    ['warning', 'order_item', 'order_item_sku_fkey', `${String(expected?.['items'])} rows`],
  ];
  expect(planned).toEqual(broken);
  expect(told(summary, 'VERIFY_REFERENCE_BROKEN')).toEqual(broken);
  expect(await world.copy(`SELECT conname FROM pg_constraint WHERE NOT convalidated ORDER BY 1`)).toEqual([
    { conname: 'order_item_sku_fkey' },
    { conname: 'order_ship_customer_id_ship_label_fkey' },
  ]);
  await expect(world.copy(`UPDATE shop.order_item SET sku = 'no such thing' WHERE sku > 'SKU-00250'`)).rejects.toMatchObject({
    code: '23503',
  });
});

it('refuses, before a row is read, to leave behind what a partitioned table refers to, and counts it at each partition', async () => {
  const world = await sample.world('partitioned');
  world.edit(
    'pipeline.yaml',
    'retentionDays: 30',
    `retentionDays: 30\ntables:\n  shop."order": { rows: { where: id > 500 } }\n  shop.order_item: { rows: { where: order_id > 500 } }`,
  );
  const { summary, error } = await world.provision();
  expect(error).toMatchObject({ code: 'PLAN_REFUSED' });
  expect(summary.tables).toEqual([]);
  const found = summary.findings.filter(({ code }) => code === 'PLAN_REFERENCE_CUT_PARTITION');
  expect(found.every(({ severity }) => severity === 'error')).toBe(true);
  const expected = await world.source(
    `SELECT tableoid::regclass::text AS name, count(*)::int AS n FROM shop.payment WHERE order_id <= 500 GROUP BY 1 ORDER BY 1`,
  );
  expect(expected.length).toBeGreaterThan(0);
  expect(found.map(({ where }) => [`shop.${String(where.table)}`, where.amount]).sort()).toEqual(
    expected.map((row) => [row['name'], `${String(row['n'])} rows`]),
  );
});

it('refuses a condition that is none, or that brings another statement along, before a row is read', async () => {
  for (const [i, where] of [`true) UNION SELECT (true`, `sku > 'a'; DROP TABLE shop.product`, `no_such_column = 1`].entries()) {
    const world = await sample.world(`condition_${i}`);
    world.edit(
      'pipeline.yaml',
      'retentionDays: 30',
      `retentionDays: 30\ntables:\n  shop.product: { rows: { where: ${JSON.stringify(where)} } }`,
    );
    const { summary, error } = await world.provision();
    expect([where, summary.state, summary.tables]).toEqual([where, 'failed', []]);
    expect(error).toMatchObject({ code: 'SOURCE_ROWS_CONDITION_INVALID', where: { table: 'product' } });
    expect(await world.source('SELECT count(*)::int AS n FROM shop.product')).toEqual([{ n: 500 }]);
  }
});
