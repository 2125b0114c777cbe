// A run whose worker is gone is taken up by another: with the rows of the same moment while somebody holds it, from the beginning when nobody does.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { composeRun, toRequest } from '../../src/cli/compose.js';
import { parseSettings } from '../../src/config/settings.js';
import { loadDocuments, readText, selectDocuments } from '../../src/documents/documents.js';
import { systemClock } from '../../src/kernel/clock.js';
import { toError } from '../../src/kernel/errors.js';
import { newRunId } from '../../src/kernel/ids.js';
import { provision } from '../../src/pipeline/pipeline.js';
import type { HeldSnapshot, Snapshot } from '../../src/pipeline/ports.js';
import type { RunSummary } from '../../src/pipeline/report/report.js';
import type { Event } from '../../src/pipeline/event.js';
import { type PostgresSource, openSource } from '../../src/systems/postgres/postgres.js';
import { type TinyWorld, startTinyWorld } from '../support/tiny-source.js';

const rows = 24_000;
let world: TinyWorld;
let home: string;
let sourceUrl: string;

beforeAll(async () => {
  world = await startTinyWorld();
  home = mkdtempSync(join(tmpdir(), 'bauta-taken-up-'));
  sourceUrl = await world.source(
    'shop',
    `INSERT INTO app.product SELECT 'Q' || i, repeat('a word ', 30) || i, i FROM generate_series(1, ${rows}) i; ANALYZE`,
  );
}, 60_000);
afterAll(async () => {
  await world.stop();
  rmSync(home, { recursive: true, force: true });
});

interface Attempt {
  readonly runId: string;
  readonly target: string;
  readonly held: HeldSnapshot[];
  /** Another process that takes the snapshot over as soon as there is one. */
  readonly holder?: PostgresSource;
  /** Hands the run back once so many rows are in. */
  readonly handBackAfter?: number;
  /** Hands it back when so many keys and indexes are made, or at a border between stages. */
  readonly handBackAt?: number | string;
}

async function attempt({
  runId,
  target,
  held,
  holder,
  handBackAfter = Infinity,
  handBackAt,
}: Attempt): Promise<{ summary: RunSummary; events: readonly Event[] }> {
  const selected = await selectDocuments(await loadDocuments(world.documents(), readText), readText);
  const stop = new AbortController();
  const small = {
    BAUTA_RANGE_BYTES: '1048576',
    BAUTA_WHOLE_TABLE_BYTES: '1048576',
    BAUTA_SOURCE_ROWS_PER_SECOND: '30000',
    BAUTA_THREADS: '0',
  };
  const composed = await composeRun({
    settings: parseSettings(small),
    home,
    request: toRequest(selected.selected!, undefined),
    after: [],
    source: { url: sourceUrl, name: 'source' },
    target: { url: world.target(target), name: 'target' },
    runId,
    signal: stop.signal,
    succession: {
      held: () => Promise.resolve(held),
      holding: async (mine, plan, scope) => {
        held.push(mine);
        const taken: Snapshot | undefined = await holder?.join(plan, scope, [mine]);
        if (taken) held.push(taken.held);
      },
      goingOn: () => Promise.resolve(new Set([runId])),
      goesOn: () => true,
    },
  });
  let moved = 0;
  try {
    const { summary } = await provision(composed.doors, composed.request, composed.run, {
      moved: (_, count) => {
        moved += count;
        if (moved >= handBackAfter) stop.abort(toError('RUN_HANDED_BACK'));
      },
      built: (done) => void (done === handBackAt && stop.abort(toError('RUN_HANDED_BACK'))),
      border: (name) => void (name === handBackAt && stop.abort(toError('RUN_HANDED_BACK'))),
    });
    const events = await composed.doors.sink.read([
      'snapshot.opened',
      'snapshot.joined',
      'staging.intended',
      'staging.completed',
      'staging.done',
    ]);
    return { summary, events: events.filter((event) => event.runId === runId) };
  } finally {
    await composed.close();
  }
}

const openHolder = (): PostgresSource => openSource({ connection: { url: sourceUrl, name: 'source' }, settings: {}, clock: systemClock });
const count = async (database: string): Promise<unknown> =>
  (await world.server.sql(database, 'SELECT count(*)::int AS n FROM app.product'))[0]?.['n'];
const stagings = async (): Promise<unknown[]> => world.server.sql('postgres', `SELECT datname FROM pg_database WHERE datname ~ '_bauta_'`);

it('begins again in the place of a database that was never opened, or that somebody had shut to drop it', async () => {
  const runId = newRunId(systemClock.now());
  const held: HeldSnapshot[] = [];
  const holder = openHolder();
  try {
    await attempt({ runId, target: 'shut', held, holder, handBackAfter: rows / 2 });
    const [{ datname } = {}] = (await stagings()) as { datname?: string }[];
    await world.server.sql('postgres', `ALTER DATABASE "${datname}" ALLOW_CONNECTIONS false`);
    const { summary } = await attempt({ runId, target: 'shut', held });
    expect([summary.state, summary.findings]).toEqual(['published', []]);
    expect(await stagings()).toEqual([]);
    expect(await count('shut')).toBe(rows + 20);
  } finally {
    await holder.close();
  }
});

it('goes on from the last range that is in, with the rows of the same moment, while somebody holds it', async () => {
  const runId = newRunId(systemClock.now());
  const held: HeldSnapshot[] = [];
  const holder = openHolder();
  try {
    const first = await attempt({ runId, target: 'copy', held, holder, handBackAfter: rows / 2 });
    expect(first.summary).toMatchObject({ state: 'cancelled', error: { code: 'RUN_HANDED_BACK' } });
    expect(await stagings()).toHaveLength(1);
    // Nobody who works on the run holds it now, and the source moves on.
    await world.server.sql('shop', `INSERT INTO app.product VALUES (clock_timestamp()::text, 'after the moment', 1)`);

    const { summary, events } = await attempt({ runId, target: 'copy', held });
    expect([summary.state, summary.findings]).toEqual(['published', []]);
    const taken = events.find(({ type }) => type === 'staging.completed')!;
    const { ranges, loaded } = taken.data as { ranges: number; loaded: number };
    expect(ranges).toBeGreaterThan(4);
    expect(loaded).toBeGreaterThan(1);
    expect(loaded).toBeLessThan(ranges);
    expect(events.map(({ type }) => type)).toEqual([
      'snapshot.opened',
      'staging.intended',
      'staging.done',
      'staging.completed',
      'snapshot.joined',
    ]);
    expect(await count('copy')).toBe(rows + 20);
    expect(summary.tables.find(({ name }) => name === 'app.product')?.rows).toBe(rows + 20);
    // What it kept for itself is gone, and the marker stands in its place.
    expect(
      await world.server.sql('copy', `SELECT relname FROM pg_class WHERE relnamespace = 'bauta'::regnamespace AND relkind = 'r'`),
    ).toEqual([{ relname: 'dataset' }]);
  } finally {
    await holder.close();
  }
}, 60_000);

it.each([1, 4, 'verify'])(
  'makes no key and no index twice, and verifies anew, when it is handed back at %s',
  async (handBackAt) => {
    const runId = newRunId(systemClock.now());
    const target = `built_${handBackAt}`;
    const held: HeldSnapshot[] = [];
    const holder = openHolder();
    try {
      const first = await attempt({ runId, target, held, holder, handBackAt });
      expect(first.summary).toMatchObject({ state: 'cancelled', error: { code: 'RUN_HANDED_BACK' } });
      const { summary, events } = await attempt({ runId, target, held });
      expect([summary.state, summary.findings]).toEqual(['published', []]);
      const { ranges, loaded } = events.find(({ type }) => type === 'staging.completed')!.data;
      expect(loaded).toBe(ranges);
      expect(summary.verdicts.length).toBeGreaterThan(0);
      const indexes = (database: string): Promise<unknown[]> =>
        world.server.sql(database, `SELECT indexdef FROM pg_indexes WHERE schemaname = 'app' ORDER BY indexname`);
      expect(await indexes(target)).toEqual(await indexes('shop'));
    } finally {
      await holder.close();
    }
  },
  60_000,
);

it('believes no receipt that the schema itself could have written, and publishes nothing', async () => {
  const runId = newRunId(systemClock.now());
  const held: HeldSnapshot[] = [];
  const holder = openHolder();
  try {
    await attempt({ runId, target: 'forged', held, holder, handBackAfter: rows / 2 });
    const [staging] = (await stagings()) as { datname: string }[];
    const forged = `{"mac": "", "receipt": {"schema": "app", "table": "product", "rows": 0, "bytes": 0, "digest": "${'0'.repeat(32)}"}}`;
    await world.server.sql(staging!.datname, `UPDATE bauta.range SET receipt = '${forged}' WHERE receipt IS NULL`);
    const { summary } = await attempt({ runId, target: 'forged', held });
    expect(summary).toMatchObject({ state: 'failed', dataset: null, error: { code: 'RECEIPT_MISSING' } });
    expect(await stagings()).toHaveLength(0);
  } finally {
    await holder.close();
  }
}, 60_000);

it('begins again, in new staging and with the rows of now, when nobody holds the moment any more', async () => {
  const runId = newRunId(systemClock.now());
  const held: HeldSnapshot[] = [];
  const first = await attempt({ runId, target: 'again', held, handBackAfter: rows / 2 });
  expect(first.summary).toMatchObject({ state: 'cancelled', error: { code: 'RUN_HANDED_BACK' } });
  expect(held).toHaveLength(1);
  await world.server.sql('shop', `INSERT INTO app.product VALUES (clock_timestamp()::text, 'after the moment', 1)`);

  const { summary, events } = await attempt({ runId, target: 'again', held });
  expect([summary.state, summary.findings]).toEqual(['published', []]);
  expect(events.map(({ type }) => type).filter((type) => type.startsWith('snapshot'))).toEqual(['snapshot.opened', 'snapshot.opened']);
  expect(await count('again')).toBe(await count('shop'));
  expect(await stagings()).toHaveLength(0);
}, 60_000);
