import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';

import { inspectSource } from '../../src/pipeline/source/source.js';
import type { Batch } from '../../src/pipeline/batch.js';
import type { Plan, TablePlan } from '../../src/pipeline/plan.js';
import type { Snapshot } from '../../src/pipeline/ports.js';
import type { PostgresSource } from '../../src/systems/postgres/source/source.js';
import { type TestServer, startTestServer } from '../support/server.js';
import { toHidden, toSmallPlan } from '../support/small-catalogue.js';
import { countSessions, everything, openTestSource, readText, waitUntil } from '../support/source.js';
import { extractAll } from '../support/extract-all.js';

const canary = 'canary-7f3a@example.org';
let server: TestServer;
const open: PostgresSource[] = [];

beforeAll(async () => {
  server = await startTestServer();
  await server.create('shop');
  await server.sql(
    'shop',
    `CREATE EXTENSION citext;
     CREATE TABLE big (id int PRIMARY KEY, note text);
     INSERT INTO big SELECT i, repeat(md5(i::text), 8) FROM generate_series(1, 20000) i;
     CREATE TABLE "Odd name" ("select" text, "tab	col" int, gen int GENERATED ALWAYS AS (1) STORED);
     INSERT INTO "Odd name" VALUES (E'a\\tb\\nc\\\\N', 1), (NULL, 2), ('', NULL), (E'\\\\N', 3);
     CREATE TABLE nothing ();
     INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES;
     CREATE TABLE parted (id int, day date) PARTITION BY RANGE (day);
     CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
     CREATE TABLE parted_2 PARTITION OF parted DEFAULT;
     INSERT INTO parted VALUES (1, '2026-01-05'), (2, '2026-05-05');
     CREATE TABLE parent (id int); CREATE TABLE child (more text) INHERITS (parent);
     INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 'c');
     CREATE TABLE person (mail citext PRIMARY KEY, name text);
     CREATE TABLE orders (id int PRIMARY KEY, mail citext REFERENCES person, person text);
     CREATE TABLE line (order_id int REFERENCES orders, n int, PRIMARY KEY (order_id, n));
     INSERT INTO person VALUES ('Anna@x.example', 'Anna'), ('${canary}', 'C');
     INSERT INTO orders VALUES (1, 'anna@X.example', 'p'), (2, NULL, 'q');
     INSERT INTO line VALUES (1, 1), (1, 2), (2, 1);
     CREATE TABLE giant (id int, doc text); INSERT INTO giant SELECT i, repeat('x', 700000) FROM generate_series(1, 3) i;`,
  );
}, 60_000);
afterAll(() => server.stop());
afterEach(async () => {
  await Promise.all(open.splice(0).map((source) => source.close()));
  expect(await countSessions(server, 'shop')).toBe(0);
});

function source(options: Parameters<typeof openTestSource>[1] = {}): PostgresSource {
  const made = openTestSource(server.url('shop'), options);
  open.push(made);
  return made;
}

async function openSnapshot(
  change?: (table: TablePlan) => Partial<TablePlan>,
  settings: Record<string, number> = {},
): Promise<{ plan: Plan; snapshot: Snapshot; read: (table: string) => Promise<string> }> {
  const made = source({ settings });
  const { catalogue } = await made.describe(everything);
  const plan = toSmallPlan(catalogue, change);
  const snapshot = await made.open(plan, everything);
  const read = async (table: string): Promise<string> => {
    const index = plan.tables.findIndex(({ name }) => name === table);
    let text = '';
    for (const range of snapshot.ranges()) if (range.table === index) text += await readText(snapshot.read(range));
    return text;
  };
  return { plan, snapshot, read };
}

it('is open no more when the source is closed while it opens', async () => {
  const made = source();
  const plan = toSmallPlan((await made.describe(everything)).catalogue);
  const opening = made.open(plan, everything);
  opening.catch(() => undefined);
  await waitUntil(async () => (await countSessions(server, 'shop')) > 0);
  await made.close();
  await opening.then(
    (snapshot) => snapshot.close(),
    (cause: unknown) => expect(cause).toMatchObject({ class: 'UnavailableError' }),
  );
});

it('describes what is there with facts for the log', async () => {
  const { catalogue, facts } = await inspectSource(source(), everything);
  expect(catalogue.tables.map(({ name }) => name)).toContain('Odd name');
  expect(facts).toMatchObject({ database: 'shop', tables: 12, inRecovery: false });
});

it('reads names, text and NULL of every kind as COPY writes them, without generated columns', async () => {
  const { read } = await openSnapshot();
  expect(await read('Odd name')).toBe('a\\tb\\nc\\\\N\t1\n\\N\t2\n\t\\N\n\\\\N\t3\n');
  expect(await read('nothing')).toBe('\n\n');
});

it('reads each partition and each inheriting table once, and nothing through a parent', async () => {
  const { plan, snapshot, read } = await openSnapshot();
  expect(await read('parted')).toBe('');
  expect(snapshot.ranges().some(({ table }) => plan.tables[table]?.name === 'parted')).toBe(false);
  expect((await read('parted_1')) + (await read('parted_2'))).toBe('1\t2026-01-05\n2\t2026-05-05\n');
  expect(await read('parent')).toBe('1\n');
  expect(await read('child')).toBe('2\tc\n');
});

it('puts the largest table first, TOAST included, and cuts big ones into ranges that hold each row once', async () => {
  const whole = await openSnapshot();
  const cut = await openSnapshot(undefined, { rangeBytes: 512 * 1024, connections: 3 });
  expect(cut.plan.tables[cut.snapshot.ranges()[0]?.table ?? -1]?.name).toBe('big');
  const big = cut.snapshot.ranges().filter(({ table }) => cut.plan.tables[table]?.name === 'big');
  expect(big.length).toBeGreaterThan(5);
  expect(await cut.read('big')).toBe(await whole.read('big'));
  const order = whole.snapshot.ranges().map(({ table }) => whole.plan.tables[table]?.name);
  expect(order.indexOf('giant')).toBeLessThan(order.indexOf('person'));
});

it('gives rows that were added after the snapshot to nobody, in whichever range they would be', async () => {
  const { read } = await openSnapshot(undefined, { rangeBytes: 512 * 1024 });
  await server.sql('shop', `INSERT INTO big SELECT i, 'late' FROM generate_series(30001, 30500) i; DELETE FROM big WHERE id <= 10`);
  const lines = (await read('big')).trimEnd().split('\n');
  await server.sql(
    'shop',
    `DELETE FROM big WHERE id > 30000; INSERT INTO big SELECT i, repeat(md5(i::text), 8) FROM generate_series(1, 10) i`,
  );
  expect(lines.length).toBe(20_000);
  expect(new Set(lines.map((line) => line.split('\t')[0])).size).toBe(20_000);
});

it('cuts batches of the size that is set, and gives a longer row one of its own', async () => {
  const { plan, snapshot } = await openSnapshot(undefined, { batchBytes: 4096 });
  const sizes = new Map<string, number[]>();
  for (const range of snapshot.ranges()) {
    let next = 0;
    for await (const { bytes, sequence } of snapshot.read(range)) {
      expect(sequence).toBe(next++);
      expect(bytes.at(-1)).toBe(10);
      const name = plan.tables[range.table]?.name ?? '';
      sizes.set(name, [...(sizes.get(name) ?? []), bytes.length]);
    }
  }
  expect(Math.max(...(sizes.get('big') ?? []))).toBeLessThanOrEqual(4096);
  expect(sizes.get('giant')).toEqual([700_003, 700_003, 700_003]);
  expect(snapshot.usage()).toMatchObject({ rows: 20_000 + 4 + 2 + 2 + 2 + 2 + 2 + 3 + 3 });
});

it('leaves out tables without rows and rows that do not fit the condition', async () => {
  const { plan, snapshot, read } = await openSnapshot(({ name }) =>
    name === 'giant' ? { rows: 'none' } : name === 'big' ? { rows: { where: `big.id <= 3 -- the first` } } : {},
  );
  expect(snapshot.ranges().some(({ table }) => plan.tables[table]?.name === 'giant')).toBe(false);
  expect((await read('big')).split('\n').map((line) => line.split('\t')[0])).toEqual(['1', '2', '3', '']);
});

it.each([
  ['names no column', `canary_column = 1`],
  ['closes the parenthesis', `true) UNION ALL SELECT 1, mail::text FROM public.person WHERE (true`],
  ['goes on after the condition', `true UNION ALL SELECT 1, mail::text FROM public.person`],
  ['brings a statement along', `true); DROP TABLE public.big; SELECT (true`],
  ['is a value of another type', `'${canary}'`],
])('refuses a rows condition that %s, before a row is read', async (_, where) => {
  const error: unknown = await openSnapshot(({ name }) => (name === 'big' ? { rows: { where } } : {})).catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: 'SOURCE_ROWS_CONDITION_INVALID', where: { schema: 'public', table: 'big' } });
  expect(`${JSON.stringify(error)}${(error as Error).stack}`).not.toContain(canary);
  expect(await server.sql('shop', 'SELECT count(*)::int AS n FROM big')).toEqual([{ n: 20_000 }]);
});

it('names table and SQLSTATE, never the value, when a rows condition fails on a row', async () => {
  const { read } = await openSnapshot(({ name }) => (name === 'person' ? { rows: { where: 'mail::text::int = 1' } } : {}));
  const error: unknown = await read('person').catch((cause: unknown) => cause);
  expect(error).toMatchObject({ code: 'SOURCE_ROWS_CONDITION_INVALID', where: { table: 'person', sqlState: '22P02', stage: 'extract' } });
  const shown = `${JSON.stringify(error)}${(error as Error).stack}${String((error as Error).cause)}`;
  expect(shown).not.toContain(canary);
  expect(shown).not.toContain('Anna');
});

it('appends the row key, the place and the person over several foreign keys, compared as the keys themselves are', async () => {
  const toOrder = { columns: ['order_id'], references: { schema: 'public', name: 'orders', columns: ['id'] } };
  const toPerson = { columns: ['mail'], references: { schema: 'public', name: 'person', columns: ['mail'] } };
  const { read, plan, snapshot } = await openSnapshot(({ name }) => {
    if (name !== 'line') return name === 'orders' ? { hidden: [toHidden('subject', 'mail', [toPerson])] } : {};
    return {
      hidden: [toHidden('subject', 'mail', [toOrder, toPerson]), toHidden('row', 'order_id'), toHidden('row', 'ctid')],
      rows: { where: 'n < 3' },
    };
  });
  // citext: the reference is written anna@X.example and the person Anna@x.example.
  expect(await read('orders')).toBe('1\tanna@X.example\tp\tAnna@x.example\n2\t\\N\tq\t\\N\n');
  expect((await read('line')).split('\n').sort()).toEqual([
    '',
    '1\t1\tAnna@x.example\t1\t(0,1)',
    '1\t2\tAnna@x.example\t1\t(0,2)',
    '2\t1\t\\N\t2\t(0,3)',
  ]);
  expect(snapshot.ranges().filter(({ table }) => plan.tables[table]?.name === 'line')).toEqual([{ table: expect.any(Number), range: 0 }]);
});

it('finds the person of a partitioned table, whichever partition holds the row', async () => {
  await server.sql(
    'shop',
    `CREATE SCHEMA p; CREATE TABLE p.who (id int PRIMARY KEY, code text) PARTITION BY HASH (id);
     CREATE TABLE p.who_0 PARTITION OF p.who FOR VALUES WITH (MODULUS 2, REMAINDER 0);
     CREATE TABLE p.who_1 PARTITION OF p.who FOR VALUES WITH (MODULUS 2, REMAINDER 1);
     CREATE TABLE p.visit (n int, who int REFERENCES p.who) PARTITION BY RANGE (n);
     CREATE TABLE p.visit_all PARTITION OF p.visit DEFAULT;
     INSERT INTO p.who SELECT i, 'c' || i FROM generate_series(1, 9) i; INSERT INTO p.visit SELECT i, i FROM generate_series(1, 9) i`,
  );
  try {
    const via = [{ columns: ['who'], references: { schema: 'p', name: 'who', columns: ['id'] } }];
    const { read } = await openSnapshot(({ name }) => (name === 'visit_all' ? { hidden: [toHidden('subject', 'code', via)] } : {}));
    const lines = (await read('visit_all')).trimEnd().split('\n').sort();
    expect(lines).toEqual(Array.from({ length: 9 }, (_, i) => `${i + 1}\t${i + 1}\tc${i + 1}`));
  } finally {
    await Promise.all(open.splice(0).map((made) => made.close()));
    await server.sql('shop', 'DROP SCHEMA p CASCADE');
  }
});

it('does not cut a table that needs a join, however big it is', async () => {
  const self = { columns: ['mail'], references: { schema: 'public', name: 'person', columns: ['mail'] } };
  const { plan, snapshot } = await openSnapshot(
    ({ name }) => (name === 'orders' ? { hidden: [toHidden('subject', 'name', [self])] } : {}),
    { rangeBytes: 8192 },
  );
  expect(snapshot.ranges().filter(({ table }) => plan.tables[table]?.name === 'orders').length).toBe(1);
});

it('refuses a plan whose join follows no foreign key', async () => {
  const wrong = { columns: ['person'], references: { schema: 'public', name: 'person', columns: ['mail'] } };
  await expect(
    openSnapshot(({ name }) => (name === 'orders' ? { hidden: [toHidden('subject', 'mail', [wrong])] } : {})),
  ).rejects.toMatchObject({
    code: 'SOURCE_REFERENCE_MISSING',
  });
});

it('holds no more than one batch per stream in flight when the consumer is slow', async () => {
  const { plan, snapshot } = await openSnapshot(({ name }) => (name === 'big' ? {} : { rows: 'none' }), {
    batchBytes: 65_536,
    rangeBytes: 1 << 20,
  });
  let held = 0;
  let most = 0;
  const usage = await extractAll(snapshot, 2, async (range, batches) => {
    expect(plan.tables[range.table]?.name).toBe('big');
    for await (const batch of batches) {
      held += 1;
      most = Math.max(most, held);
      expect(batch.bytes.length).toBeLessThanOrEqual(65_536);
      await new Promise((resolve) => setTimeout(resolve, 2));
      held -= 1;
    }
  });
  expect(most).toBe(2);
  expect(usage.rows).toBe(20_000);
});

it('stops the server from sending what nobody takes', async () => {
  const { snapshot } = await openSnapshot(({ name }) => (name === 'big' ? {} : { rows: 'none' }), { batchBytes: 4096 });
  const batches = snapshot.read({ table: snapshot.ranges()[0]?.table ?? 0, range: 0 })[Symbol.asyncIterator]();
  await batches.next();
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(snapshot.usage().bytes).toBeLessThanOrEqual(4096);
  await batches.return?.();
});

it('lets several ranges of one table be read at once on a pool smaller than their number', async () => {
  const { snapshot } = await openSnapshot(({ name }) => (name === 'big' ? {} : { rows: 'none' }), {
    rangeBytes: 512 * 1024,
    connections: 2,
  });
  const texts = await Promise.all(snapshot.ranges().map((range) => readText(snapshot.read(range))));
  expect(texts.join('').trimEnd().split('\n').length).toBe(20_000);
});

it('ends every session within a second when it is closed in the middle of a read, and says so to the reader', async () => {
  const { snapshot } = await openSnapshot(undefined, { batchBytes: 4096 });
  const [range] = snapshot.ranges();
  if (!range) throw new Error('no range');
  const batches = snapshot.read(range)[Symbol.asyncIterator]();
  await batches.next();
  const before = Date.now();
  await snapshot.close();
  await waitUntil(async () => (await countSessions(server, 'shop')) === 0, 1000 - (Date.now() - before));
  const drained = async (): Promise<void> => {
    while (!(await batches.next()).done);
  };
  await expect(drained()).rejects.toMatchObject({ code: 'EXTRACT_CLOSED' });
});

it('ends a statement that computes and sends nothing', async () => {
  const { snapshot } = await openSnapshot(({ name }) =>
    name === 'big'
      ? { rows: { where: `id = 1 AND (SELECT count(*) FROM pg_catalog.generate_series(1, 2000000000)) > 0` } }
      : { rows: 'none' },
  );
  const reading = readText(snapshot.read(snapshot.ranges()[0] ?? { table: 0, range: 0 }));
  reading.catch(() => undefined);
  await waitUntil(
    async () => (await server.sql('shop', `SELECT 1 FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active'`)).length > 0,
  );
  await snapshot.close();
  await expect(reading).rejects.toMatchObject({ code: 'EXTRACT_CLOSED' });
  await waitUntil(async () => (await countSessions(server, 'shop')) === 0, 1000);
});

it('frees the connection of a reader that stops half-way, and goes on with the next', async () => {
  const { snapshot, read } = await openSnapshot(undefined, { connections: 1, batchBytes: 4096 });
  const [range] = snapshot.ranges();
  if (!range) throw new Error('no range');
  for await (const batch of snapshot.read(range)) {
    expect((batch satisfies Batch).sequence).toBe(0);
    break;
  }
  expect(await read('parent')).toBe('1\n');
});

it.each(['a reader', 'the holder', 'every session'])('fails with CONNECTION_LOST in extract when %s is cut off half-way', async (who) => {
  const { snapshot } = await openSnapshot(undefined, { batchBytes: 4096, watchEveryMs: 50 });
  const reading = extractAll(snapshot, 1, async (_, batches) => {
    for await (const { sequence } of batches) {
      if (sequence !== 2) continue;
      const which =
        { 'a reader': `query LIKE 'COPY%'`, 'the holder': `query LIKE '%pg_export_snapshot%'`, 'every session': 'true' }[who] ?? 'false';
      await server.sql('shop', `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bauta' AND ${which}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
  await expect(reading).rejects.toMatchObject({ code: 'CONNECTION_LOST', where: { stage: 'extract', connection: 'env:SOURCE' } });
});

it('says that a password is wrong, a server away, a database missing, and shows no secret', async () => {
  const url = new URL(server.url('shop'));
  const secret = url.password;
  const wrong = new URL(url);
  wrong.password = `not-${secret}`;
  const away = new URL(url);
  away.port = '1';
  const cases: [URL | string, string][] = [
    [wrong, 'CONNECTION_REFUSED_LOGIN'],
    [away, 'CONNECTION_UNREACHABLE'],
    [new URL(server.url('no_such_database')), 'DATABASE_MISSING'],
    [`postgres://postgres:${secret}@127.0.0.1:not-a-port/shop`, 'CONNECTION_REFERENCE_INVALID'],
  ];
  for (const [at, code] of cases) {
    const error: unknown = await openTestSource(String(at))
      .describe(everything)
      .catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code });
    expect(`${JSON.stringify(error)}${(error as Error).stack}`).not.toContain(secret);
  }
});

it('evaluates a condition over made-up rows without reading a table, row by row where one of them is of no such type', async () => {
  const rows = [['1'], ['-1'], [null]];
  const columns = [{ name: 'n', type: 'integer' }];
  const answers = await source().tryOut([
    { columns, alias: 't', sql: 'n > 0', rows },
    { columns, alias: 't', rows: [...rows, ['x']] },
    { columns, alias: 't', sql: 'no_such_function(n)', rows },
    { columns, alias: 't', sql: `(pg_sleep(60) IS NULL)`, rows },
  ]);
  expect(answers).toEqual([
    { holds: [true, false, true] },
    { holds: [true, true, true, false] },
    { sqlState: '42883' },
    { sqlState: '57014' },
  ]);
});
