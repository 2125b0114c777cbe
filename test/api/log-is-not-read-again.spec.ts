// A run goes by what the log says of sources, keys and intents of runs that died. However many runs there were, it reads those entries only.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { parseSettings } from '../../src/config/settings.js';
import { openLogKeys } from '../../src/control/log-keys.js';
import { OutboxSink } from '../../src/control/runs/outbox-sink.js';
import { intentTypes, toStanding } from '../../src/pipeline/audit/audit.js';
import type { Event } from '../../src/pipeline/event.js';
import { createDataSource } from '../../src/systems/metadata/data-source.js';
import { Metadata, migrate } from '../../src/systems/metadata/metadata.js';
import { WorkspaceLog } from '../../src/systems/metadata/workspace-log.js';
import { countRowsRead } from '../support/rows-read.js';
import { type TestServer, startTestServer } from '../support/server.js';
import { prepareMetadata } from '../support/service.js';

const RUNS = 2000;
const types = ['source.seen', 'key.recorded', ...intentTypes];
const home = mkdtempSync(join(tmpdir(), 'bauta-standing-'));
let server: TestServer;
let urls: Awaited<ReturnType<typeof prepareMetadata>>;
let metadata: Metadata;
let sink: OutboxSink;

const told = (runId: string, type: string, data: Event['data']): Event => ({
  ...{ runId, stage: 'deliver' as const, type, data },
  at: '2026-05-05T00:00:00.000Z',
});

/** What a run tells; one that died tells no outcome of its last change. */
function tell(n: number, died: boolean): Event[] {
  const run = `r${String(n).padStart(6, '0')}`;
  const place = { server: '77', target: `dev_${n % 7}` };
  return [
    told(run, 'source.seen', { systemIdentifier: '1', address: '10.0.0.1', database: `shop_${n % 3}` }),
    ...(n < 2 ? [told(run, 'key.recorded', { version: n + 1, check: 'c' })] : []),
    told(run, 'snapshot.opened', { sourceState: `s${n}` }),
    told(run, 'staging.intended', place),
    told(run, 'staging.done', place),
    told(run, 'table.loaded', { rows: n }),
    told(run, 'dataset.published.intended', place),
    ...(died ? [] : [told(run, 'dataset.published.done', place)]),
  ];
}

async function write(from: number, to: number, died: (n: number) => boolean): Promise<void> {
  const keys = await openLogKeys(parseSettings({ BAUTA_HOME: home }), {});
  const source = createDataSource(urls.sequencer, { connections: 1 });
  await source.initialize();
  const session = source.createQueryRunner();
  const workspace = String((await server.sql('metadata', 'SELECT id FROM bauta.workspace'))[0]?.['id']);
  const log = await WorkspaceLog.open(session, workspace, keys);
  for (let n = from; n < to; n += 50) {
    const events = Array.from({ length: Math.min(50, to - n) }, (_, i) => tell(n + i, died(n + i))).flat();
    await session.startTransaction();
    await log.append(
      session,
      events.map((event) => ({ event, key: null })),
      Date.parse('2026-05-05T00:00:00Z'),
    );
    await session.commitTransaction();
  }
  await keys.remember(workspace, log.note);
  await source.destroy();
}

beforeAll(async () => {
  server = await startTestServer();
  urls = await prepareMetadata(server, 'metadata');
  metadata = await Metadata.open(urls.service, 1);
  const workspace = String((await server.sql('metadata', 'SELECT id FROM bauta.workspace'))[0]?.['id']);
  sink = new OutboxSink(metadata, workspace, { tell: () => undefined });
  await write(0, 100, (n) => n % 50 === 7);
}, 60_000);
afterAll(async () => {
  await metadata.close();
  await server.stop();
  rmSync(home, { recursive: true });
});

const rows = (): Promise<Record<string, unknown>[]> =>
  server.sql('metadata', 'SELECT subject, type, log, position::int FROM bauta.audit_standing ORDER BY subject COLLATE "C"');
const look = async (): Promise<{ found: readonly Event[]; leaves: number; index: number }> => {
  let found: readonly Event[] = [];
  const leaves = await countRowsRead({ server, metadata }, 'audit_leaf', async () => (found = await sink.standing(types)));
  const index = await countRowsRead({ server, metadata }, 'audit_standing', () => sink.standing(types));
  return { found, leaves, index };
};

it('reads as much after two thousand runs as after a hundred, and finds what reading everything finds', async () => {
  const before = await look();
  // Three sources, two keys, two runs that died.
  expect(before.found.map(({ type }) => type).sort()).toEqual([
    ...['dataset.published.intended', 'dataset.published.intended', 'key.recorded', 'key.recorded'],
    ...['source.seen', 'source.seen', 'source.seen'],
  ]);
  await write(100, RUNS, () => false);
  const after = await look();
  expect(after.found).toEqual(toStanding(await sink.read(types)));
  expect(after.found).toHaveLength(7);
  expect([before.leaves, after.leaves, after.index]).toEqual([7, 7, expect.any(Number)]);
  // A row that was changed is read in its older versions, too, until the server tidies its page.
  expect(after.index).toBeLessThan(100);
  const everything = await countRowsRead({ server, metadata }, 'audit_leaf', () => sink.read(types));
  expect(everything).toBeGreaterThanOrEqual(RUNS * 5);
});

it('reads of one run what that run told', async () => {
  let found: readonly Event[] = [];
  const leaves = await countRowsRead({ server, metadata }, 'audit_leaf', async () => {
    found = await sink.read(['snapshot.opened'], 'r001234');
  });
  expect(found.map(({ data }) => data)).toEqual([{ sourceState: 's1234' }]);
  expect(leaves).toBeLessThanOrEqual(7);
  expect(await sink.read(['staging.done', 'snapshot.opened'], 'r000007')).toHaveLength(2);
  expect(await sink.read(['snapshot.opened'], 'nobody')).toEqual([]);
});

it('knows them of a log from before it kept them', async () => {
  const kept = await rows();
  await server.sql(
    'metadata',
    `DROP TABLE bauta.audit_standing; ALTER TABLE bauta.audit_leaf DROP COLUMN run_id; DELETE FROM bauta.migration WHERE name LIKE 'Standing%'`,
  );
  const of = async (): Promise<unknown> =>
    (await server.sql('metadata', `SELECT count(*) AS n FROM bauta.audit_leaf WHERE run_id = event ->> 'runId'`))[0]?.['n'];
  await migrate(urls.owner);
  expect(await rows()).toEqual(kept);
  expect(Number(await of())).toBe(RUNS * 7);
});
