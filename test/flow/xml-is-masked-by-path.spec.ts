import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { isDataKey, suggest } from '../../src/pipeline/classify/classify.js';
import { survey } from '../../src/systems/postgres/postgres.js';
import { type PlanWorld, startPlanWorld } from '../support/planned.js';

let world: PlanWorld;
beforeAll(async () => {
  world = await startPlanWorld();
}, 60_000);
afterAll(() => world.stop());

const sql = `CREATE TABLE t (id int PRIMARY KEY, doc xml);
  INSERT INTO t SELECT i, xmlparse(DOCUMENT '<?xml version="1.0"?><order id="' || i || '" xmlns:x="urn:shop:x"><by><mail>anna' || i ||
    '@canary.net</mail></by><x:note kind="call"><![CDATA[ring <zibeline> ]]>&amp; ask</x:note><empty/></order>') FROM generate_series(1, 500) i;
  INSERT INTO t VALUES (501, NULL), (502, xmlparse(CONTENT '')), (503, xmlparse(CONTENT '<order id="9"/> <order id="10"><by/></order>'));
  ANALYZE`;
const paths =
  "{ order.@id: pii.key, order.by.mail: pii.email, 'order.x:note': pii.free-text, 'order.x:note.@kind': none, order.empty: none, order.by: none }";
const tables = (column: string): string => `{ t: { person: true, columns: { id: pii.key, doc: ${column} } } }`;

it('masks what the document lists, and the copy verifies line by line', async () => {
  const { summary, copy } = await world.run({ sql, tables: tables(`{ paths: ${paths} }`) });
  expect([summary.state, summary.findings.filter(({ severity }) => severity === 'error')]).toEqual(['published', []]);
  const rows = (await copy('SELECT id, doc::text AS doc FROM t WHERE doc IS NOT NULL')).map(({ doc }) => String(doc));
  expect(rows.length).toBe(502);
  expect(rows.join('\n')).not.toMatch(/canary|zibeline|anna\d/);
  expect(
    rows.filter((doc) =>
      /^<order id="\d+" xmlns:x="urn:shop:x"><by><mail>[^<@]+@example\.com<\/mail><\/by><x:note kind="call">[^<]+<\/x:note><empty\/><\/order>$/.test(
        doc,
      ),
    ).length,
  ).toBe(500);
  expect(rows).toContain('');
});

it('stops at a path that nobody listed, and drops it where the document says so', async () => {
  const more = `${sql}; UPDATE t SET doc = '<order id="1"><by><diagnosis>a very secret illness</diagnosis></by></order>' WHERE id = 77`;
  const stopped = await world.run({ sql: more, tables: tables(`{ paths: ${paths} }`) });
  expect(stopped.error).toMatchObject({ code: 'MASK_PATH_UNLISTED', where: { table: 't', column: 'doc', path: 'order.by.diagnosis' } });
  expect(JSON.stringify([stopped.summary, stopped.error, String(stopped.error)])).not.toContain('illness');
  const dropped = await world.run({ sql: more, tables: tables(`{ paths: ${paths}, rest: drop }`) });
  expect(dropped.summary.state).toBe('published');
  expect(await dropped.copy(`SELECT count(*)::int AS n FROM t WHERE doc::text LIKE '%illness%' OR doc::text LIKE '%diagnosis%'`)).toEqual([
    { n: 0 },
  ]);
});

it('is withheld when an original stands at a path all the same, whatever stands around it', async () => {
  const after = `UPDATE public.t SET doc = '<order id="9" z="1"><by/><by><mail/><mail><![CDATA[anna77@canary.net]]></mail></by></order>' WHERE id = (SELECT min(id) FROM public.t)`;
  const { summary } = await world.run({ sql, tables: tables(`{ paths: ${paths} }`), after });
  expect(summary.state).toBe('withheld');
  expect(summary.findings.filter(({ severity }) => severity === 'error')).toMatchObject([
    { where: { table: 't', column: 'doc', path: 'order.by.mail' } },
  ]);
});

it('lists on the server what paths there are, with a suggestion for each and without a value', async () => {
  const { sourceUrl } = await world.run({ sql, tables: tables('secret.token') });
  const limits = { rowsPerTable: 50, statementMs: 20_000, wholeBytes: 1 << 30, isDataKey };
  const { catalogue, inventories, samples, findings } = await survey(
    { name: 'env:SOURCE_URL', url: sourceUrl },
    { include: [], exclude: [] },
    limits,
  );
  expect(findings).toEqual([]);
  expect(inventories.map(({ paths: all }) => all.map(({ path }) => path))).toEqual([
    ['order', 'order.@id', 'order.by', 'order.by.mail', 'order.empty', 'order.x:note', 'order.x:note.@kind'],
  ]);
  const suggested = suggest(catalogue, samples, inventories);
  expect(suggested.find(({ path }) => path === 'order.by.mail')).toMatchObject({ tag: 'pii.email' });
  expect(JSON.stringify([inventories, suggested])).not.toContain('canary');
});
