import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { toStatement } from '../../src/cli/attest.js';
import type { Plan } from '../../src/pipeline/plan.js';
import type { RunSummary } from '../../src/pipeline/report/report.js';
import { digestAll, digestOf, findTexts, relationsOf, toSql } from '../support/compare.js';
import { entriesOf } from '../support/log.js';
import { type Sample, type World, requirePublished, startSample } from '../support/shop.js';

// Everything that COPY text, JSON and arrays have to escape, in columns that are kept.
const exotic = [
  'tab\there',
  'two\nlines',
  'carriage\r\nreturn',
  'back\\slash \\n \\t \\.',
  '\\N',
  '\\.',
  '👋🏽 family 👨‍👩‍👧‍👦',
  'مرحبا بالعالم',
  '\u202eright to left\u202c',
  `it's "quoted", {braces}`,
  ' padded ',
  '',
  'null',
  'a\u0001b\u007f',
];

let sample: Sample;
let world: World;
let summary: RunSummary;
let plan: Plan;

beforeAll(async () => {
  sample = await startSample();
  world = await sample.world('whole');
  for (const [i, text] of exotic.entries()) {
    const literal = `'${text.replaceAll("'", "''")}'`;
    await world.source(
      `INSERT INTO shop.product VALUES ('X-' || ${i} || ${literal}, ${literal}, ${i}, ARRAY[${literal}, NULL, '"' || ${literal}])`,
    );
  }
  await world.source(
    `UPDATE shop.store SET name = E'caf\\u00e9\\t\\\\N', opening_hours = '{"a\\tb": ["\\u0001", "\\\\N", null, 1.50]}' WHERE id = 3`,
  );
  const ended = await world.provision({ hooks: { prepared: (prepared) => (plan = prepared.plan as Plan) } });
  summary = requirePublished(ended);
}, 240_000);
afterAll(async () => {
  await sample.stop();
});

const both = async (text: string): Promise<unknown[][]> => [await world.source(text), await world.copy(text)];

it('publishes every table with every row', async () => {
  expect(summary.dataset).toMatchObject({ target: 'whole_dev', version: 1 });
  const tables = await relationsOf(sample.server, world.production);
  expect(summary.tables.filter(({ rows }) => rows > 0).length).toBeGreaterThanOrEqual(15);
  const counted = Object.fromEntries(summary.tables.map(({ name, rows }) => [name, rows]));
  for (const table of tables) {
    const [source, copy] = await both(`SELECT count(*)::int AS n FROM ONLY ${toSql(table)}`);
    expect([toSql(table), copy]).toEqual([toSql(table), source]);
    expect([toSql(table), { n: counted[`${table.schema}.${table.name}`] }]).toEqual([toSql(table), source?.[0]]);
  }
});

it('keeps every untagged column value by value, and changes every tagged one', async () => {
  let compared = 0;
  for (const table of plan.tables) {
    const kept = table.columns.filter(({ rule }) => rule.transform === 'keep' && !rule.paths).map(({ name }) => name);
    const masked = table.columns.filter(({ rule }) => rule.transform !== 'keep' || rule.paths).map(({ name }) => name);
    if (kept.length > 0) {
      const digests = [
        await digestOf(sample.server, world.production, table, kept),
        await digestOf(sample.server, world.target, table, kept),
      ];
      expect([toSql(table), kept, digests[1]]).toEqual([toSql(table), kept, digests[0]]);
      compared += kept.length;
    }
    for (const column of masked) {
      const source = await digestOf(sample.server, world.production, table, [column]);
      const copy = await digestOf(sample.server, world.target, table, [column]);
      const [row] = await world.source(`SELECT count(${quoted(column)})::int AS n FROM ONLY ${toSql(table)}`);
      if (Number(row?.['n']) > 0) expect([toSql(table), column, copy === source]).toEqual([toSql(table), column, false]);
    }
  }
  // 198 answers of the survey and some thirty others.
  expect(compared).toBeGreaterThan(225);
});

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

it('carries text with tabs, newlines, backslashes, \\N, emoji and right-to-left script through unchanged', async () => {
  const rows = await world.copy(`SELECT title, tags FROM shop.product WHERE sku LIKE 'X-%' ORDER BY price`);
  expect(rows).toEqual(exotic.map((text) => ({ title: text, tags: [text, null, `"${text}`] })));
  expect(await world.copy('SELECT name, opening_hours FROM shop.store WHERE id = 3')).toEqual([
    { name: 'café\t\\N', opening_hours: { 'a\tb': ['\u0001', '\\N', null, 1.5] } },
  ]);
});

it('carries a marker that names the intent in the log, and attests with the log\u2019s public key', async () => {
  const [row] = await world.copy('SELECT log_origin, log_index::int, version, claim FROM bauta.dataset');
  expect(row).toMatchObject({ version: 1, claim: 'masked copy, not production', log_origin: summary.checkpoint?.origin });
  const entries = entriesOf(join(world.home, 'log', String(row?.['log_origin']).split('/').at(-1) ?? ''));
  const intent = entries[Number(row?.['log_index'])];
  expect(intent).toMatchObject({ type: 'dataset.published.intended', runId: summary.runId, data: { target: 'whole_dev', version: 1 } });
  const asked = { reference: 'env:TARGET_URL', environment: world.environment, key: join(world.home, 'log.pub') };
  const { statement } = await toStatement(asked);
  expect(statement).toMatchObject({ state: 'valid', findings: [] });
  expect(statement.tables.filter(({ state }) => state !== 'equal')).toEqual([]);
  expect(statement.tables.reduce((sum, { rows }) => sum + (rows ?? 0), 0)).toBe(summary.tables.reduce((sum, { rows }) => sum + rows, 0));
  expect(intent?.data['manifest']).toBe((JSON.parse(statement.marker?.split('\n')[1] ?? '') as { manifest: string }).manifest);
});

it('computes generated columns from masked values', async () => {
  const [row] = await world.copy(`SELECT count(*) FILTER (WHERE display_name = first_name || ' ' || last_name)::int AS named,
    count(*) FILTER (WHERE search = to_tsvector('simple', first_name || ' ' || last_name))::int AS found, count(*)::int AS n FROM shop.customer`);
  expect(row).toEqual({ named: 25_000, found: 25_000, n: 25_000 });
  expect(await world.copy('SELECT count(*)::int AS n FROM shop.order_item WHERE amount <> quantity * price')).toEqual([{ n: 0 }]);
});

it('holds every foreign key in both directions, with as many children a parent as before', async () => {
  const keys =
    await world.source(`SELECT c.conrelid::regclass::text AS child, c.confrelid::regclass::text AS parent, pg_get_constraintdef(c.oid) AS text,
      (SELECT array_agg(quote_ident(a.attname) ORDER BY k.i) FROM unnest(c.conkey) WITH ORDINALITY k(n, i) JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n) AS columns,
      (SELECT array_agg(quote_ident(a.attname) ORDER BY k.i) FROM unnest(c.confkey) WITH ORDINALITY k(n, i) JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n) AS "refColumns"
    FROM pg_constraint c WHERE c.contype = 'f' AND c.conparentid = 0 ORDER BY 1, 3`);
  expect(keys.length).toBeGreaterThanOrEqual(15);
  for (const key of keys) {
    const [columns, refColumns] = [key['columns'] as string[], key['refColumns'] as string[]];
    const on = columns.map((column, i) => `c.${column} = p.${refColumns[i] ?? ''}`).join(' AND ');
    const [source, copy] = await both(`SELECT md5(string_agg(n::text, ',' ORDER BY n)) AS fans, sum(n)::int AS n FROM
      (SELECT count(c.${columns[0] ?? ''}) AS n FROM ${String(key['parent'])} p LEFT JOIN ${String(key['child'])} c ON ${on} GROUP BY ${refColumns.map((name) => `p.${name}`).join(', ')}) x`);
    expect([key['child'], key['text'], copy]).toEqual([key['child'], key['text'], source]);
  }
});

it('keeps the cycle of stores and employees, and the e-mail that is a key, together with the ids beside them', async () => {
  for (const text of [
    `SELECT count(*)::int AS n FROM shop.store s JOIN "Human Resources"."Employee" e ON e."Employee No" = s.manager_id JOIN shop.store w ON w.id = e."Works In"`,
    `SELECT count(*)::int AS n FROM shop."order" o JOIN shop.customer c ON c.id = o.customer_id AND c.email = o.customer_email`,
    `SELECT count(*)::int AS n FROM shop.support_ticket t JOIN shop.customer c ON c.email = t.customer_email`,
    `SELECT count(*)::int AS n FROM shop."order" o JOIN shop.address a ON (a.customer_id, a.label) = (o.ship_customer_id, o.ship_label) WHERE a.customer_id = o.customer_id`,
  ]) {
    const [source, copy] = await both(text);
    expect(copy).toEqual(source);
    expect(Number((copy?.[0] as { n: number }).n)).toBeGreaterThan(0);
  }
});

it('rebuilds constraints, indexes, policies, triggers, comments and statistics as they were', async () => {
  const lists = [
    `SELECT conrelid::regclass::text AS on, conname, pg_get_constraintdef(oid) AS text, condeferrable, condeferred, convalidated FROM pg_constraint WHERE conrelid <> 0 AND connamespace::regnamespace::text !~ '^(pg_|information|bauta$)' ORDER BY 1, 2`,
    `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS text, indisvalid FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE c.relnamespace::regnamespace::text !~ '^(pg_|information|bauta$)' ORDER BY 1`,
    `SELECT schemaname, tablename, policyname, cmd, qual, with_check FROM pg_policies ORDER BY 1, 2, 3`,
    `SELECT pg_get_triggerdef(oid) AS text, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1`,
    `SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, obj_description(c.oid) FROM pg_class c WHERE c.relnamespace::regnamespace::text !~ '^(pg_|information|bauta$)' AND relkind IN ('r', 'p', 'v', 'm') ORDER BY 1`,
    `SELECT schemaname, tablename, attname FROM pg_stats WHERE schemaname = 'shop' AND tablename = 'product' ORDER BY 3`,
  ];
  for (const text of lists) {
    const [source, copy] = await both(text);
    expect(copy).toEqual(source);
    expect(copy?.length).toBeGreaterThan(0);
  }
});

it('fills views and materialized views from the copy', async () => {
  const [source, copy] = await both('SELECT count(*)::int AS n, sum(lines)::int AS lines FROM shop.open_order');
  expect(copy).toEqual(source);
  expect(
    await world.copy('SELECT count(*)::int AS n FROM shop.open_order v JOIN shop.customer c USING (display_name) LIMIT 1'),
  ).not.toEqual([{ n: 0 }]);
  for (const view of ['shop.revenue', 'shop.top_customer']) {
    const [row] = await world.copy(`SELECT pg_get_viewdef('${view}'::regclass) AS text`);
    const query = String(row?.['text']).replace(/;\s*$/, '');
    expect(
      await world.copy(`SELECT count(*)::int AS n FROM (TABLE ${view} EXCEPT ${query.startsWith('SELECT') ? query : `(${query})`}) x`),
    ).toEqual([{ n: 0 }]);
    const [there] = await world.copy(
      `SELECT count(*)::int AS n, (SELECT relispopulated FROM pg_class WHERE oid = '${view}'::regclass) AS populated FROM ${view}`,
    );
    expect([view, there?.['populated'], Number(there?.['n']) > 0]).toEqual([view, true, true]);
  }
});

it('says nowhere who the canary was: in no column of any table or view, no log, no summary', async () => {
  const [person] =
    await world.source(`SELECT email::text, first_name, last_name, phone, national_id, card_number, iban, password_hash, profile #>> '{contact,email}' AS other
    FROM shop.customer WHERE id = 1`);
  const { first_name: first, last_name: last, ...rest } = person as Record<string, string>;
  const digits = [rest['phone'], rest['national_id']].map((text) => String(text).replaceAll(/\D/g, ''));
  const texts = [String(first), String(last), ...Object.values(rest).map((text) => text.trim()), ...digits];
  expect(texts).toContain('Quillfeather');
  expect(texts.length).toBe(11);
  expect(await findTexts(sample.server, world.production, texts)).not.toEqual([]);
  expect(await findTexts(sample.server, world.target, texts)).toEqual([]);
  const written = readdirSync(world.home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(written.length).toBeGreaterThan(1);
  for (const entry of written) {
    const text = readFileSync(join(entry.parentPath, entry.name), 'latin1').toLowerCase();
    for (const needle of texts)
      expect([entry.name, text.includes(Buffer.from(needle.toLowerCase()).toString('latin1'))]).toEqual([entry.name, false]);
  }
  expect(JSON.stringify(summary).toLowerCase()).not.toContain('quillfeather');
});

it('takes new rows without a clash of keys, fires its triggers and refuses what its constraints refuse', async () => {
  const before = await digestAll(sample.server, world.target);
  const [made] =
    await world.copy(`INSERT INTO shop.customer (email, first_name, last_name, country, created_at) VALUES ('New@Example.com', 'New', 'Customer', 'FR', NULL)
    RETURNING id, created_at IS NOT NULL AS touched, display_name`);
  expect(made).toMatchObject({ touched: true, display_name: 'New Customer' });
  const id = String(made?.['id']);
  for (const text of [
    `INSERT INTO shop.address VALUES (${id}, 'home', 'a', '1', 'b', '12345', 'FR')`,
    `INSERT INTO shop."order" (customer_id, customer_email, total, ordered_at) SELECT ${id}, 'new@example.com', 1, now() FROM generate_series(1, 50)`,
    `INSERT INTO shop.booking (during, customer_id) VALUES ('[2031-01-01,2031-01-02)', ${id})`,
    `INSERT INTO shop.message (customer_id, body, sent_at) SELECT ${id}, '', now() FROM generate_series(1, 50)`,
    `INSERT INTO shop.complaint (customer_id, body, sent_at) SELECT ${id}, '', now() FROM generate_series(1, 50)`,
    `INSERT INTO shop.support_ticket (customer_email, subject, transcript) SELECT 'NEW@example.com', '', '[]' FROM generate_series(1, 50)`,
    `INSERT INTO shop.store (name) SELECT 'New ' || i FROM generate_series(1, 50) i`,
    `INSERT INTO "Human Resources"."Employee" ("First Name", "Last Name", "E-mail", "Works In", "Hired") SELECT 'a', 'b', 'new' || i, 1, now() FROM generate_series(1, 50) i`,
    `INSERT INTO shop.payment VALUES (-1, (SELECT min(id) FROM shop."order"), '2024-05-05', 1)`,
    `UPDATE shop.customer SET email = 'newer@example.com' WHERE id = ${id}`,
  ]) {
    await world.copy(text);
  }
  expect(await world.copy(`SELECT count(*)::int AS n FROM shop."order" WHERE customer_email = 'newer@example.com'`)).toEqual([{ n: 50 }]);
  await expect(
    world.copy(`INSERT INTO shop.booking (during, customer_id) VALUES ('[2031-01-01,2031-01-03)', ${id})`),
  ).rejects.toMatchObject({ code: '23P01' });
  await expect(world.copy(`UPDATE shop.customer SET referred_by = -5 WHERE id = ${id}`)).rejects.toMatchObject({ code: '23503' });
  const deferred = `BEGIN; UPDATE shop.customer SET referred_by = -5 WHERE id = ${id}; UPDATE shop.customer SET referred_by = NULL WHERE id = ${id}; COMMIT`;
  await world.copy(deferred);
  await expect(world.copy(`INSERT INTO shop.address VALUES (${id}, 'work', 'a', '1', 'b', 'lower', 'FR')`)).rejects.toMatchObject({
    code: '23514',
  });
  const [open, all] = await Promise.all([
    world.copy(`SET ROLE whole_dev_ro; SELECT count(*)::int AS n FROM shop.support_ticket`),
    world.copy(`SELECT count(*) FILTER (WHERE status = 'open')::int AS n FROM shop.support_ticket`),
  ]);
  expect(open).toEqual(all);
  const after = await digestAll(sample.server, world.target);
  expect(Object.keys(after).filter((name) => after[name] !== before[name]).length).toBe(10);
});
