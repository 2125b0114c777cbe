// Where nobody gets CREATEDB, versions are schemas of one database: docs/decisions/0017. The whole shop, on the newest and the oldest server.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';

import { toStatement } from '../../src/cli/attest.js';
import { composeTarget } from '../../src/cli/compose.js';
import { systemClock } from '../../src/kernel/clock.js';
import { SchemaTarget } from '../../src/systems/postgres/swap/swap.js';
import { digestOf, relationsOf, toSql } from '../support/compare.js';
import { hasDebianServer, startDebianServer } from '../support/debian-server.js';
import { catalogueOf, comparable } from '../support/rebuild.js';
import { type TestServer, startTestServer } from '../support/server.js';
import { type World, requirePublished, toWorld } from '../support/shop.js';
import { type SwapSample, startSwapSample } from '../support/swap-world.js';

const servers: [string, () => Promise<TestServer>][] = [
  ['on the embedded 18', () => startTestServer({ settings: { max_wal_size: '2GB' } })],
  ...(hasDebianServer() ? [["on Debian's 15", startDebianServer] as [string, () => Promise<TestServer>]] : []),
];

const scope = { include: ['shop.*', 'Human Resources.*'], exclude: [] };

interface Seen {
  readonly version: number;
  readonly titles: string;
  readonly revenue: string;
  readonly next: string;
}

/** A test of the environment: one transaction after the other, each over a table, a materialized view, a sequence and the marker, and a pause between. */
class Reading {
  readonly seen: Seen[] = [];
  readonly failures: string[] = [];
  #over = false;
  readonly #done: Promise<void>;

  constructor(private readonly client: pg.Client) {
    this.#done = this.#read();
  }

  async #read(): Promise<void> {
    for (let turn = 0; !this.#over && this.failures.length < 5; turn++) {
      const parts = [
        ['titles', 'SELECT md5(string_agg(title, chr(10) ORDER BY sku)) AS part FROM shop.product'],
        ['revenue', 'SELECT md5(string_agg(total::text, chr(10) ORDER BY month)) AS part FROM shop.revenue'],
        ['next', 'SELECT last_value::text AS part FROM shop.store_id_seq'],
        ['version', 'SELECT version AS part FROM bauta.dataset'],
      ] as const;
      // Each of them comes first once: whatever was looked at first, the rest is of the same version.
      const order = [...parts.slice(turn % 4), ...parts.slice(0, turn % 4)];
      try {
        await this.client.query('BEGIN');
        const seen: Record<string, unknown> = {};
        for (const [name, text] of order) {
          seen[name] = (await this.client.query<{ part: unknown }>(text)).rows[0]?.part;
          await new Promise((resolve) => setTimeout(resolve, 3));
        }
        await this.client.query('COMMIT');
        this.seen.push(seen as unknown as Seen);
      } catch (error) {
        this.failures.push(String(error));
        await this.client.query('ROLLBACK').catch(() => undefined);
      }
    }
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#done;
    await this.client.end();
  }
}

describe.each(servers)('%s', (_, start) => {
  let sample: SwapSample;
  let world: World;
  let byDatabase: World;

  beforeAll(async () => {
    sample = await startSwapSample({ server: await start() });
    world = await sample.swapWorld('swap');
    await sample.server.sql('swap_dev', `CREATE ROLE app LOGIN PASSWORD 'a password'; GRANT swap_dev_rw TO app`);
    // The same source, key and document, published by databases, with the one login of this server that may.
    byDatabase = toWorld(sample.server, world.folder, { ...world.environment, TARGET_URL: sample.server.url('plain_dev') });
  }, 120_000);
  afterAll(() => sample.stop());

  const openApp = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: `postgres://app:a%20password@127.0.0.1:${sample.server.port}/swap_dev` });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const digests = async (database: string): Promise<Record<string, string>> => {
    const made: Record<string, string> = {};
    for (const table of await relationsOf(sample.server, database, 'rm'))
      if (!table.schema.includes('_bauta_')) made[toSql(table)] = await digestOf(sample.server, database, table, table.columns);
    return made;
  };

  it('publishes what publishing by databases publishes: every line, every sequence, every object, and no right to a superuser', async () => {
    world.edit('pipeline.yaml', '  swapSchemas:', '  # swapSchemas:');
    requirePublished(await byDatabase.provision());
    world.edit('pipeline.yaml', '  # swapSchemas:', '  swapSchemas:');
    const summary = requirePublished(await world.provision());
    expect(summary.findings.map(({ code, severity }) => `${severity} ${code}`)).toEqual(['warning SWAP_CHOSEN']);
    const lines = await digests('swap_dev');
    expect(Object.keys(lines).length).toBeGreaterThan(19);
    expect(lines).toEqual(await digests('plain_dev'));
    const sequences = `SELECT schemaname, sequencename, last_value FROM pg_sequences WHERE schemaname IN ('shop', 'Human Resources') ORDER BY 1, 2`;
    expect(await world.copy(sequences)).toEqual(await byDatabase.copy(sequences));
    const [swapped, whole] = await Promise.all(
      ['swap_dev', 'plain_dev'].map(async (name) => comparable((await catalogueOf(sample.server.url(name), scope)).catalogue)),
    );
    expect(swapped).toEqual(whole);
    const owners = `SELECT DISTINCT pg_get_userbyid(c.relowner) AS owner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ('shop', 'Human Resources')`;
    expect(await world.copy(owners)).toEqual([{ owner: 'swap_dev_owner' }]);
  }, 180_000);

  it('a second version takes the place of the first under the eyes of a reader, who sees one or the other and never both', async () => {
    await world.source(`UPDATE shop.product SET title = title || '!'; UPDATE shop."order" SET total = total + 1; REFRESH MATERIALIZED VIEW shop.revenue;
      SELECT setval('shop.store_id_seq', 5000)`);
    const reading = new Reading(await openApp());
    const summary = requirePublished(await world.provision());
    expect(summary.dataset?.version).toBe(2);
    // It stays connected, because this login may not send it away, and that is told.
    expect(summary.findings.map(({ code }) => code)).toContain('SWAP_SESSIONS_STAY');
    await new Promise((resolve) => setTimeout(resolve, 200));
    await reading.stop();
    expect(reading.failures).toEqual([]);
    const kinds = new Set(reading.seen.map((seen) => JSON.stringify([seen.version, seen.titles, seen.revenue, seen.next])));
    expect(reading.seen.map(({ version }) => version)).toEqual(expect.arrayContaining([1, 2]));
    expect(kinds.size).toBe(2);
    const app = await openApp();
    // An environment works on it: its rights came with the version, and no schema of another is open to it.
    await app.query(`UPDATE shop.product SET title = title; INSERT INTO shop.store (name) VALUES ('a new one')`);
    await expect(app.query('CREATE TABLE shop.mine (a int)')).rejects.toMatchObject({ code: '42501' });
    await app.query(`DELETE FROM shop.store WHERE name = 'a new one'`);
    await app.end();
  }, 180_000);

  it('waits for a transaction that began before the load and has touched nothing yet, which would see empty tables', async () => {
    const old = await openApp();
    await old.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await old.query('SELECT 1');
    let rows: unknown;
    const release = async (): Promise<void> => {
      rows = (await old.query<{ n: number }>('SELECT count(*)::int AS n FROM shop.customer')).rows[0]?.n;
      await old.query('COMMIT');
      await old.end();
    };
    let released: Promise<void> | undefined;
    let waitedMs = 0;
    const began = (): void => {
      const at = performance.now();
      released = new Promise<void>((resolve) => setTimeout(resolve, 1200))
        .then(release)
        .then(() => void (waitedMs = performance.now() - at));
    };
    const ended = await world.provision({ hooks: { border: (name) => (name === 'publish' ? began() : undefined) } });
    await released;
    expect(requirePublished(ended).dataset?.version).toBe(3);
    expect(rows).toBe(1000);
    expect(waitedMs).toBeGreaterThan(1000);
  }, 180_000);

  it('tells the versions, keeps as many as the document says, and rolls back in one step', async () => {
    const { target } = await composeTarget({ file: world.file, home: world.home, environment: world.environment });
    const states = async (): Promise<string[]> =>
      (await target.datasets()).map(({ version, state, schema }) => `${version} ${state} ${String(schema).slice(0, 12)}`);
    expect(await states()).toEqual(['3 current bauta', '2 previous bauta_bauta_']);
    const before = await digests('swap_dev');
    await world.copy('DELETE FROM shop.visit');
    expect(await target.rollback()).toMatchObject({ version: 2, state: 'current', schema: 'bauta', database: 'swap_dev' });
    expect(await states()).toEqual(['3 previous bauta_bauta_', '2 current bauta']);
    expect(await digests('swap_dev')).toEqual(before);
    await expect(target.rollback()).rejects.toMatchObject({ code: 'ROLLBACK_NOTHING' });
    await target.close();
    // The one that was rolled back goes first.
    expect(requirePublished(await world.provision()).dataset?.version).toBe(4);
    expect(await states()).toEqual(['4 current bauta', '2 previous bauta_bauta_']);
  }, 180_000);

  it('while somebody holds a table nothing is swapped, and the session is named', async () => {
    const holding = await openApp();
    await holding.query('BEGIN; SELECT 1 FROM shop.revenue LIMIT 1');
    const connection = (name: string, url: string) => ({ name, url });
    const target = new SchemaTarget({
      connection: connection('env:TARGET_URL', world.environment['TARGET_URL'] ?? ''),
      builder: connection('env:BUILDER_URL', world.environment['BUILDER_URL'] ?? ''),
      clock: systemClock,
      settings: { switchTimeoutMs: 300 },
    });
    await expect(target.rollback()).rejects.toMatchObject({ code: 'TARGET_IN_USE', where: { expected: 'app (unnamed)' } });
    expect((await target.datasets()).map(({ version, state }) => `${version} ${state}`)).toEqual(['4 current', '2 previous']);
    await holding.end();
  }, 180_000);

  it('attest speaks of the schemas that the signed marker names, and of no others', async () => {
    const ask = () =>
      toStatement({
        reference: 'env:DATABASE_URL',
        key: `${world.home}/log.pub`,
        environment: { DATABASE_URL: sample.server.url('swap_dev') },
      });
    await world.copy('CREATE SCHEMA beside; CREATE TABLE beside.other AS SELECT 1 AS a');
    const { statement } = await ask();
    expect([statement.state, statement.schemas]).toEqual(['valid', ['Human Resources', 'shop']]);
    expect(statement.findings.map(({ code, severity }) => `${severity} ${code}`)).toEqual(['warning DATASET_SCHEMAS_ONLY']);
    expect(new Set(statement.tables.map(({ schema }) => schema))).toEqual(new Set(['Human Resources', 'shop']));
    await world.copy('CREATE TABLE shop.smuggled AS SELECT * FROM shop.product');
    expect((await ask()).statement).toMatchObject({ state: 'broken' });
    await world.copy('DROP TABLE shop.smuggled');
    // Whoever may change the table can write another list into it, and cannot sign it.
    await world.copy(`UPDATE bauta.dataset SET note = replace(note, '"schemas":["Human Resources","shop"]', '"schemas":["beside"]')`);
    expect((await ask()).statement.state).toBe('unknown');
    await world.copy('DROP SCHEMA beside CASCADE');
  }, 180_000);
});
