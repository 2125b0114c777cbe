// An old log of the service goes as a whole when its time is over, by an entry that stays; a text goes by its commitment; and the chain is whole before
// and after, for whoever has the key and a checkpoint of the log that is gone.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { parseSettings } from '../../src/config/settings.js';
import { openLogKeys } from '../../src/control/log-keys.js';
import type { Event } from '../../src/pipeline/event.js';
import { createDataSource } from '../../src/systems/metadata/data-source.js';
import type { Sequencer } from '../../src/systems/metadata/metadata.js';
import { WorkspaceLog } from '../../src/systems/metadata/workspace-log.js';
import { type ServiceWorld, startSequencer, startServiceWorld } from '../support/service.js';
import { type Said, bauta } from '../support/tiny-source.js';

const folder = mkdtempSync(join(tmpdir(), 'bauta-retention-'));
const key = join(folder, 'log.pub');
const known = join(folder, 'checkpoint-of-2019');
const settings = { ...parseSettings({ BAUTA_RATE_ADDRESS: '0', BAUTA_RATE_TOKEN: '0' }), BAUTA_LOG_RETENTION_DAYS: 2190 };
let ahead = 0;
let world: ServiceWorld;
let sequencer: Sequencer;
let env: Record<string, string> = {};
let [shared, alone] = ['', ''];

beforeAll(async () => {
  world = await startServiceWorld(undefined, { now: () => Date.now() + ahead }, {}, { settings });
  env = { OPERATOR: await world.person('otto', ['operator']), AUDITOR: await world.person('ada', ['auditor']) };
  const { home } = world.workspaces;
  [shared, alone] = await world.metadata.within(home, async ({ log }) => [await log.keepText('of both'), await log.keepText('of 2019')]);
  // A log of 2019, as a sequencer of then would have written it.
  const keys = await openLogKeys(parseSettings({ BAUTA_HOME: folder }), {});
  const source = createDataSource(world.urls.sequencer, { connections: 1 });
  await source.initialize();
  const session = source.createQueryRunner();
  const told = (type: string, data: Event['data']): { event: Event; key: null } => ({
    event: { runId: 'r', stage: 'mask', type, at: '2019-05-05T00:00:00.000Z', data },
    key: null,
  });
  const log = await WorkspaceLog.open(session, home, keys);
  await session.startTransaction();
  await log.append(
    session,
    [
      told('key.recorded', { version: 1, check: 'c' }),
      told('something.said', { reason: { committed: shared }, comment: { committed: alone } }),
      told('staging.intended', { target: 't' }),
      ...Array.from({ length: 300 }, (_, i) => told('table.loaded', { rows: i })),
    ],
    Date.parse('2019-05-05T00:00:00Z'),
  );
  await session.commitTransaction();
  await keys.remember(home, log.note);
  await source.destroy();
  await world.metadata.within(home, (transaction) =>
    transaction.append(told('something.said', { reason: { committed: shared } }).event, crypto.randomUUID()),
  );
  sequencer = await startSequencer(world.urls, folder);
  await waitFor(async () => (await logs()).length === 2);
  const { body } = await world.ask('GET', '/v1/audit/log', { token: env['AUDITOR']! });
  writeFileSync(key, `${String(body['key'])}\n`);
  writeFileSync(known, String((await world.ask('GET', '/v1/audit/log/2019/checkpoint', { token: env['AUDITOR']! })).body['text']));
}, 60_000);
afterAll(async () => {
  await sequencer.stop();
  await world.stop();
  rmSync(folder, { recursive: true });
});

async function waitFor(holds: () => Promise<boolean>): Promise<void> {
  for (const startedAt = performance.now(); !(await holds()); await new Promise((resolve) => setTimeout(resolve, 50)))
    if (performance.now() - startedAt > 10_000) throw new Error('it does not come');
}

async function logs(): Promise<string[]> {
  const { body } = await world.ask('GET', '/v1/audit/log', { token: env['AUDITOR']! });
  return (body['logs'] as { name: string }[]).map(({ name }) => name);
}

const audit = (token: string, ...words: string[]): Promise<Said> =>
  bauta(['audit', ...words, '--server', world.url, '--token', `env:${token}`], { env, cwd: folder });
const texts = async (): Promise<unknown[]> =>
  (await world.sql('SELECT text FROM bauta.erasable_text ORDER BY text')).map(({ text }) => text);
const year = String(new Date().getUTCFullYear());

it('is kept until its time is over, by the clock of the database whatever the service thinks', async () => {
  const asked = ['delete', '2019', '--reason', 'its time is over'];
  const [open, early, bare] = [
    await audit('OPERATOR', 'delete', year, '--reason', 'x'),
    await audit('OPERATOR', ...asked),
    await audit('OPERATOR', 'delete', '2019'),
  ];
  expect([open.exitCode, open.stderr]).toEqual([2, expect.stringContaining('LOG_OPEN')]);
  expect([early.exitCode, early.stderr]).toEqual([2, expect.stringMatching(/LOG_RETAINED.*2190 days/)]);
  expect([bare.exitCode, bare.stderr]).toEqual([3, expect.stringContaining('--reason is missing')]);
  settings.BAUTA_LOG_RETENTION_DAYS = 1;
  ahead = 2 * 86_400_000;
  const ahead2 = await audit('OPERATOR', ...asked);
  ahead = 0;
  expect([ahead2.exitCode, ahead2.stderr]).toEqual([2, expect.stringContaining('LOG_RETAINED')]);
  expect(await logs()).toEqual(['2019', year]);
  const auditor = await audit('AUDITOR', ...asked);
  expect([auditor.exitCode, auditor.stderr]).toEqual([2, expect.stringContaining('ACCESS_DENIED')]);
});

it('is not deleted while an entry is not what was signed', async () => {
  settings.BAUTA_LOG_RETENTION_DAYS = 0;
  const change = (from: string, to: string): Promise<unknown> =>
    world.sql(`UPDATE bauta.audit_leaf SET event = replace(event::text, '${from}', '${to}')::json WHERE log = '2019' AND position = 2`);
  await change('something.said', 'something.sold');
  const broken = await audit('OPERATOR', 'delete', '2019', '--reason', 'its time is over');
  expect([broken.exitCode, broken.stderr]).toEqual([2, expect.stringMatching(/LOG_NOT_WHOLE/)]);
  await change('something.sold', 'something.said');
  expect(await logs()).toEqual(['2019', year]);
});

it('goes by an entry that stays, with the texts of its own, and what later runs go by is carried on', async () => {
  settings.BAUTA_LOG_RETENTION_DAYS = 0;
  const deleted = await audit('OPERATOR', 'delete', '2019', '--reason', 'its time is over');
  expect([deleted.exitCode, deleted.stderr]).toEqual([0, '']);
  expect(deleted.stdout).toMatch(new RegExp(`^deleted: bauta\\.invalid/[\\w/-]+/2019 \\(\\d+ entries\\), by entry ${year}/\\d+\\n$`));
  expect(await logs()).toEqual([year]);
  const verified = await audit('AUDITOR', 'verify', '--key', key, '--known', known);
  expect([verified.exitCode, verified.stdout]).toEqual([
    0,
    expect.stringMatching(new RegExp(`2019 .* deleted on .* by entry ${year}/\\d+\\n(.*\\n)*whole: every entry`)),
  ]);
  expect(await texts()).toEqual(expect.arrayContaining(['of both', 'its time is over']));
  expect(await texts()).not.toContain('of 2019');
  await world.metadata.within(world.workspaces.home, async ({ log }) => {
    expect((await log.events(['key.recorded', 'staging.intended'])).map(({ type, data }) => [type, data])).toEqual([
      ['key.recorded', { version: 1, check: 'c' }],
      ['staging.intended', { target: 't' }],
    ]);
    expect((await log.standing(['key.recorded', 'staging.intended'])).map(({ type }) => type)).toEqual([
      'key.recorded',
      'staging.intended',
    ]);
  });
  const again = await audit('OPERATOR', 'delete', '2019', '--reason', 'once more');
  expect([again.exitCode, again.stdout]).toEqual([0, '2019 was deleted before: bauta audit verify says by which entry\n']);
  const other = await audit('OPERATOR', 'delete', '2018', '--reason', 'x');
  expect([other.exitCode, other.stderr]).toEqual([3, expect.stringContaining('LOG_UNKNOWN')]);
}, 30_000);

it('loses a text by its commitment, and stays whole', async () => {
  const erased = await audit('OPERATOR', 'erase', shared, '--reason', 'the data subject asked for it');
  expect([erased.exitCode, erased.stderr]).toEqual([0, '']);
  expect(erased.stdout).toMatch(new RegExp(`^erased: ${shared}, by entry ${year}/\\d+\\n$`));
  expect(await texts()).not.toContain('of both');
  expect((await audit('OPERATOR', 'erase', shared, '--reason', 'again')).stdout).toBe(`${shared} was erased before\n`);
  const unknown = await audit('OPERATOR', 'erase', `sha256:${'0'.repeat(64)}`, '--reason', 'x');
  expect([unknown.exitCode, unknown.stderr]).toEqual([3, expect.stringContaining('ERASABLE_UNKNOWN')]);
  const person = await audit('OPERATOR', 'erase', 'otto', '--reason', 'x');
  expect([person.exitCode, person.stderr]).toEqual([2, expect.stringContaining('ACCESS_DENIED')]);
  expect((await audit('AUDITOR', 'verify', '--key', key)).exitCode).toBe(0);
  expect(await world.told('text.erased.intended', 'text.erased.done')).toMatchObject([{ data: { of: shared } }, { data: { of: shared } }]);
});

it('no role of the service can delete a leaf, nor ask for it but the one that signs', async () => {
  const [{ n } = { n: 0 }] = (await world.sql(
    `SELECT count(*)::int AS n FROM unnest('{bauta_service,bauta_sequencer}'::text[]) r WHERE has_table_privilege(r, 'bauta.audit_leaf', 'DELETE')`,
  )) as { n: number }[];
  const may = await world.sql(
    `SELECT r, has_function_privilege(r, 'bauta.delete_log(uuid, text)', 'EXECUTE') AS may FROM unnest('{bauta_service,bauta_sequencer}'::text[]) r ORDER BY r`,
  );
  expect([n, may]).toEqual([
    0,
    [
      { r: 'bauta_sequencer', may: true },
      { r: 'bauta_service', may: false },
    ],
  ]);
});
