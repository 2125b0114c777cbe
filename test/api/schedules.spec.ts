// Schedules over REST and by the clock: one run per instant whoever looks, changed and stopped without a restart. Time is moved, not waited for.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { Scheduler } from '../../src/control/schedules/schedules.js';
import { Metadata } from '../../src/systems/metadata/metadata.js';
import { type Answer, type ServiceWorld, startServiceWorld } from '../support/service.js';

const REPLICAS = 3;
const now = { ms: 0 };
const clock = { now: (): number => now.ms };
const moveTo = (text: string): void => void (now.ms = Date.parse(text));

let world: ServiceWorld;
let [ada, otto, vic, stranger] = ['', '', '', ''];
const replicas: Scheduler[] = [];
const opened: Metadata[] = [];
const failures: unknown[] = [];
beforeAll(async () => {
  moveTo('2026-10-01T00:00:00Z');
  world = await startServiceWorld(undefined, clock);
  ada = await world.person('ada', ['policy-admin', 'viewer']);
  otto = await world.person('otto', ['operator']);
  vic = await world.person('vic', ['viewer']);
  stranger = await world.person('eve', ['policy-admin', 'operator', 'viewer'], 'foreign');
  for (let i = 0; i < REPLICAS; i++) {
    const metadata = await Metadata.open(world.urls.service, 5);
    opened.push(metadata);
    replicas.push(new Scheduler({ metadata, clock, failed: (error) => failures.push(error) }));
  }
});
beforeEach(async () => {
  await world.sql('UPDATE bauta.schedule SET last_run_id = NULL, next_due_at = NULL; DELETE FROM bauta.run_event; DELETE FROM bauta.run');
});
afterAll(async () => {
  for (const metadata of opened) await metadata.close();
  await world.stop();
  expect(failures).toEqual([]);
});

/** All replicas look at the same moment. */
const tick = async (): Promise<void> => void (await Promise.all(replicas.map((replica) => replica.tick())));

const pipeline = (name: string): string => `kind: Pipeline
name: ${name}
source: env:BAUTA_CONN_SOURCE
target: { connection: env:BAUTA_CONN_TARGET, environment: dev, class: dev, allows: [pii] }
classification: shop
purpose: tests of the service
owner: team
legalBasis: GDPR Art. 6(1)(f)
subjectCategories: [customers]
retentionDays: 30
---
kind: Classification
name: shop
tables:
  shop.customer: { person: true, columns: { id: pii.key } }
`;
const schedule = (name: string, cron: string, more = '', of = name): string =>
  `---\nkind: Schedule\nname: ${name}\npipeline: ${of}\ncron: '${cron}'\n${more}`;

const apply = (text: string, token = ada): Promise<Answer> =>
  world.ask('POST', '/v1/apply', { token, text, headers: { 'content-type': 'application/yaml' } });
const begin = async (name: string, cron: string, more = ''): Promise<void> => {
  const { status, body } = await apply(pipeline(name) + schedule(name, cron, more));
  expect([status, body['findings']]).toEqual([200, undefined]);
};
const state = async (name: string): Promise<Record<string, unknown>> =>
  (await world.ask('GET', `/v1/schedules/${name}/state`, { token: vic })).body;
const dueOf = async (name: string): Promise<unknown[]> =>
  (await world.sql(`SELECT due_at FROM bauta.run WHERE pipeline = '${name}' ORDER BY due_at`)).map((row) =>
    (row['due_at'] as Date).toISOString(),
  );
const endRuns = (): Promise<unknown> => world.sql(`UPDATE bauta.run SET state = 'published', ended_at = now() WHERE ended_at IS NULL`);
const events = async (type: string, name: string): Promise<unknown[]> =>
  (await world.sql(`SELECT event -> 'data' AS data FROM bauta.outbox WHERE event ->> 'type' = '${type}' AND event -> 'data' ->> 'schedule' = '${name}' ORDER BY id`))
    .map((row) => row['data']); // prettier-ignore

it('makes one run per due instant with three replicas, and its job, event and reason with it', async () => {
  await begin('crowd', '*/10 * * * *', 'overlap: true\n');
  const due: string[] = [];
  for (let minute = 1; minute <= 60; minute++) {
    moveTo(`2026-10-01T${minute === 60 ? '01' : '00'}:${String(minute % 60).padStart(2, '0')}:00.400Z`);
    if (minute % 10 === 0) due.push(new Date(now.ms - 400).toISOString());
    await tick();
  }
  expect(await dueOf('crowd')).toEqual(due);
  const runs = await world.sql(`SELECT id, cause, state FROM bauta.run ORDER BY id`);
  expect(runs).toEqual(
    due.map(() => ({ id: expect.any(String), state: 'queued', cause: { kind: 'Schedule', name: 'crowd', version: 1 } })),
  );
  const ids = runs.map(({ id }) => `'${String(id)}'`).join();
  expect(await world.sql(`SELECT FROM graphile_worker.jobs WHERE key IN (${ids})`)).toHaveLength(6);
  expect(await world.sql(`SELECT FROM bauta.outbox WHERE event ->> 'type' = 'run.queued' AND event -> 'data' ->> 'cause' = 'Schedule crowd version 1'`)).toHaveLength(6); // prettier-ignore
  expect(await state('crowd')).toMatchObject({
    nextDueAt: '2026-10-01T01:10:00.000Z',
    lastRun: { id: runs[5]?.['id'], state: 'queued', dueAt: '2026-10-01T01:00:00.000Z' },
  });
});

describe('the changes of the clocks', () => {
  it.each([
    ['spring-berlin', '30 2 * * *', 'Europe/Berlin', '2027-03-28', ['2027-03-28T01:00:00.000Z'], 'moved'],
    ['autumn-berlin', '30 2 * * *', 'Europe/Berlin', '2026-10-25', ['2026-10-25T00:30:00.000Z'], 'first of two'],
    ['spring-new-york', '30 2 * * *', 'America/New_York', '2027-03-14', ['2027-03-14T07:00:00.000Z'], 'moved'],
    ['autumn-new-york', '30 1 * * *', 'America/New_York', '2026-11-01', ['2026-11-01T05:30:00.000Z'], 'first of two'],
  ])('%s: %s in %s is one run on %s', async (name, cron, zone, day, expected, change) => {
    const start = Date.parse(`${day}T00:00:00Z`) - 3_600_000;
    now.ms = start;
    await begin(name, cron, `timeZone: ${zone}\noverlap: true\n`);
    const { body } = await world.ask('GET', `/v1/schedules/${name}/next?count=3`, { token: vic });
    expect((body['items'] as { dueAt: string; change?: string }[]).find(({ dueAt }) => dueAt === expected[0])?.change).toBe(change);
    for (let step = 0; step <= 22 * 60; step += 5) {
      now.ms = start + step * 60_000;
      await replicas[step % REPLICAS]?.tick();
    }
    expect(await dueOf(name)).toEqual(expected);
  });
});

it('does not run anything twice when the clock is set back', async () => {
  moveTo('2026-10-02T00:30:00Z');
  await begin('back', '@hourly', 'overlap: true\n');
  for (const time of ['01:00:00', '02:00:01', '03:00:02', '01:59:00', '02:00:00', '02:30:00', '03:00:00', '04:00:00']) {
    moveTo(`2026-10-02T${time}Z`);
    await tick();
  }
  expect(await dueOf('back')).toEqual(['01', '02', '03', '04'].map((hour) => `2026-10-02T${hour}:00:00.000Z`));
});

describe('a scheduler that was down over ten due instants', () => {
  it('runs each of them with catch-up, one after the other', async () => {
    moveTo('2026-10-03T00:30:00Z');
    await begin('catch-up', '@hourly', 'catchUp: true\n');
    moveTo('2026-10-03T10:30:00Z');
    for (let i = 1; i <= 10; i++) {
      await tick();
      await tick();
      expect(await dueOf('catch-up')).toHaveLength(i);
      await endRuns();
    }
    await tick();
    expect(await dueOf('catch-up')).toHaveLength(10);
    expect(await events('schedule.skipped', 'catch-up')).toEqual([]);
  });

  it('runs each of them at once where they may overlap', async () => {
    moveTo('2026-10-03T00:30:00Z');
    await begin('catch-up-at-once', '@hourly', 'catchUp: true\noverlap: true\n');
    moveTo('2026-10-03T10:30:00Z');
    await tick();
    expect(await dueOf('catch-up-at-once')).toHaveLength(10);
  });

  it('runs none of them without catch-up, says so in the log, and goes on with the next', async () => {
    moveTo('2026-10-03T00:30:00Z');
    await begin('no-catch-up', '@hourly');
    moveTo('2026-10-03T10:30:00Z');
    await tick();
    expect(await dueOf('no-catch-up')).toEqual([]);
    expect(await events('schedule.skipped', 'no-catch-up')).toEqual([
      {
        schedule: 'no-catch-up',
        version: 1,
        reason: 'missed',
        count: 10,
        from: '2026-10-03T01:00:00.000Z',
        to: '2026-10-03T10:00:00.000Z',
      },
    ]);
    moveTo('2026-10-03T11:00:00Z');
    await tick();
    expect(await dueOf('no-catch-up')).toEqual(['2026-10-03T11:00:00.000Z']);
  });
});

it('begins no run while another one of the pipeline has not ended, also with two schedules', async () => {
  moveTo('2026-10-04T00:30:00Z');
  await begin('alone', '@hourly');
  await apply(schedule('alone-too', '0,10 * * * *', '', 'alone'));
  moveTo('2026-10-04T01:00:00Z');
  await tick();
  await tick();
  expect(await dueOf('alone')).toEqual(['2026-10-04T01:00:00.000Z']);
  moveTo('2026-10-04T01:10:00Z');
  await tick();
  expect(await dueOf('alone')).toHaveLength(1);
  await endRuns();
  await tick();
  expect(await dueOf('alone')).toEqual(['2026-10-04T01:00:00.000Z', '2026-10-04T01:10:00.000Z']);
});

it('makes one run of two schedules of a pipeline that are due at the same instant, and tells of the other', async () => {
  moveTo('2026-10-04T00:30:00Z');
  await begin('both', '@hourly', 'overlap: true\n');
  await apply(schedule('both-too', '0 * * * *', 'overlap: true\n', 'both'));
  moveTo('2026-10-04T01:00:00Z');
  await tick();
  expect(await dueOf('both')).toHaveLength(1);
  expect([...(await events('schedule.skipped', 'both')), ...(await events('schedule.skipped', 'both-too'))]).toMatchObject([
    { reason: 'taken', count: 1, from: '2026-10-04T01:00:00.000Z' },
  ]);
});

it('asks for runs with the priority and the deadline that it says', async () => {
  moveTo('2026-10-04T12:30:00Z');
  await begin('urgent', '@hourly', 'parameters: { priority: 9, deadlineMinutes: 90 }\n');
  moveTo('2026-10-04T13:00:02Z');
  await tick();
  expect(await world.sql(`SELECT priority, deadline_at FROM bauta.run WHERE pipeline = 'urgent'`)).toEqual([
    { priority: 9, deadline_at: new Date('2026-10-04T14:30:00Z') },
  ]);
});

it('follows a change over the API at the next tick', async () => {
  moveTo('2026-10-05T00:30:00Z');
  await begin('moved', '0 5 * * *', 'overlap: true\n');
  moveTo('2026-10-05T00:40:00Z');
  await apply(schedule('moved', '45 * * * *', 'overlap: true\n'));
  expect((await state('moved'))['nextDueAt']).toBe('2026-10-05T00:45:00.000Z');
  moveTo('2026-10-05T00:45:00Z');
  await tick();
  moveTo('2026-10-05T05:00:00Z');
  await apply(schedule('moved', '0 5 * * *', 'overlap: true\n'));
  await tick();
  expect(await dueOf('moved')).toEqual(['2026-10-05T00:45:00.000Z']);
  expect(await state('moved')).toMatchObject({ version: 3, nextDueAt: '2026-10-06T05:00:00.000Z' });
});

it('is paused and resumed without a new version, by who may, and with an event that says what was and what is', async () => {
  moveTo('2026-10-06T00:30:00Z');
  await begin('paused', '@hourly', 'catchUp: true\noverlap: true\n');
  expect((await world.ask('POST', '/v1/schedules/paused/pause', { token: vic })).status).toBe(403);
  expect((await world.ask('POST', '/v1/schedules/paused/pause', { token: stranger })).status).toBe(404);
  const paused = await world.ask('POST', '/v1/schedules/paused/pause', { token: otto });
  expect([paused.status, paused.body]).toMatchObject([200, { paused: true, nextDueAt: null, version: 1 }]);
  moveTo('2026-10-06T03:30:00Z');
  await tick();
  // A new version of a paused schedule is paused.
  await apply(schedule('paused', '@hourly', 'catchUp: true\noverlap: true\nstartDate: 2026-01-01\n'));
  expect(await state('paused')).toMatchObject({ paused: true, version: 2, nextDueAt: null });
  // When it was to be due follows from the log alone.
  const [applied] = await world.sql(`SELECT event -> 'data' -> 'documents' AS documents FROM bauta.outbox WHERE event ->> 'type' = 'documents.applied' ORDER BY id DESC LIMIT 1`); // prettier-ignore
  expect(applied?.['documents']).toMatchObject([{ kind: 'Schedule', name: 'paused', version: 2, due: { cron: '@hourly', timeZone: 'UTC', startDate: '2026-01-01' } }]); // prettier-ignore
  await world.ask('POST', '/v1/schedules/paused/pause', { token: otto });
  const resumed = await world.ask('POST', '/v1/schedules/paused/resume', { token: otto });
  expect(resumed.body).toMatchObject({ paused: false, nextDueAt: '2026-10-06T04:00:00.000Z' });
  moveTo('2026-10-06T04:00:00Z');
  await tick();
  expect(await dueOf('paused')).toEqual(['2026-10-06T04:00:00.000Z']);
  expect([await events('schedule.paused', 'paused'), await events('schedule.resumed', 'paused')]).toEqual([
    [{ schedule: 'paused', version: 1, paused: { before: false, after: true } }],
    [{ schedule: 'paused', version: 2, paused: { before: true, after: false } }],
  ]);
});

it('goes on with the others when one cannot be decided', async () => {
  moveTo('2026-10-07T00:30:00Z');
  await begin('sound', '@hourly', 'overlap: true\n');
  await begin('broken', '@hourly', 'overlap: true\n');
  await world.sql(`UPDATE bauta.document SET written = '{"kind":"Schedule"}' WHERE name = 'broken' AND kind = 'Schedule'`); // prettier-ignore
  moveTo('2026-10-07T01:00:00Z');
  await tick();
  expect([await dueOf('sound'), await dueOf('broken')]).toEqual([['2026-10-07T01:00:00.000Z'], []]);
  expect([...new Set(failures.splice(0).map((error) => (error as { code?: string }).code))]).toEqual(['DOCUMENTS_INVALID']);
  await world.sql(`UPDATE bauta.schedule SET next_due_at = NULL`);
});

it('lists what is due next, by name, and nothing of another workspace', async () => {
  moveTo('2026-10-08T00:30:00Z');
  await begin('listed', '0 0 4 * * MON-FRI', 'timeZone: America/New_York\n');
  const { body } = await world.ask('GET', '/v1/schedules?limit=200', { token: vic });
  const found = (body['items'] as Record<string, unknown>[]).find(({ name }) => name === 'listed');
  expect(found).toMatchObject({ kind: 'Schedule', version: 1, paused: false, nextDueAt: '2026-10-08T08:00:00.000Z', lastRun: null });
  expect((await world.ask('GET', '/v1/schedules', { token: stranger })).body).toEqual({ items: [], next: null });
  expect((await world.ask('GET', '/v1/schedules/listed', { token: vic })).body['document']).toMatchObject({ cron: '0 0 4 * * MON-FRI' });
});

describe('before it is applied', () => {
  it('tells when it would be due, on the clock of its zone', async () => {
    const json = { cron: '30 2 * * *', timeZone: 'Europe/Berlin', from: '2026-10-24T00:00:00Z', count: 3 };
    expect((await world.ask('POST', '/v1/schedules/preview', { token: vic, json })).body).toEqual({
      items: [
        { dueAt: '2026-10-24T00:30:00.000Z', local: '2026-10-24T02:30:00+02:00' },
        { dueAt: '2026-10-25T00:30:00.000Z', local: '2026-10-25T02:30:00+02:00', change: 'first of two' },
        { dueAt: '2026-10-26T01:30:00.000Z', local: '2026-10-26T02:30:00+01:00' },
      ],
    });
  });

  it.each([
    [`cron: '61 * * * *'`, 'cron'],
    [`cron: '0 0 30 2 *'`, 'cron'],
    [`cron: '@hourly'\ntimeZone: Mars/Olympus`, 'timeZone'],
    [`cron: '@hourly'\nstartDate: 2026-02-30`, 'startDate'],
    [`cron: '@hourly'\nwhen: schema-changed\ncatchUp: true`, 'catchUp'],
  ])('refuses %j with its place', async (text, path) => {
    const { status, body } = await apply(`${pipeline('refused')}---\nkind: Schedule\nname: refused\npipeline: refused\n${text}\n`);
    expect([status, body['findings']]).toMatchObject([422, [{ code: 'DOCUMENT_VALUE_INVALID', where: { path } }]]);
  });

  it('refuses one of a pipeline that is not there', async () => {
    const { body } = await apply(schedule('lonely', '@daily', '', 'nowhere'));
    expect(body['findings']).toMatchObject([{ code: 'DOCUMENT_NOT_FOUND' }]);
  });
});
