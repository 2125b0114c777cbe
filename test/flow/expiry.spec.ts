import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';

import { systemClock } from '../../src/kernel/clock.js';
import { newRunId } from '../../src/kernel/ids.js';
import { type Expire, type Expiry, expire as carryOut } from '../../src/pipeline/expire.js';
import { readHolds } from '../../src/pipeline/hold.js';
import { liftHold, placeHold, revoke } from '../../src/pipeline/mark-version.js';
import { readMarkedDatasets } from '../../src/pipeline/marked-datasets.js';
import type { KeyProvider } from '../../src/pipeline/ports.js';
import { rollBack } from '../../src/pipeline/roll-back.js';
import { FileAuditSink } from '../../src/systems/files/files.js';
import { connect } from '../../src/systems/postgres/postgres.js';
import { eventsOf } from '../support/log.js';
import { type TargetWorld, logSigner, readTraces, stage, startTargetWorld, toPlan } from '../support/target-world.js';

const dayMs = 86_400_000;
const longAgoMs = Date.now() - 31 * dayMs;

let world: TargetWorld;
let home: string;
let sink: FileAuditSink;
beforeAll(async () => {
  world = await startTargetWorld();
  home = mkdtempSync(join(tmpdir(), 'bauta-expiry-'));
  sink = new FileAuditSink({ home, period: 'year' });
}, 60_000);
afterAll(async () => {
  await sink.close();
  await world.server.stop();
  rmSync(home, { recursive: true, force: true });
});
afterEach(async () => {
  const { databases, roles } = await readTraces(world.server);
  for (const name of databases) await world.server.sql('postgres', `DROP DATABASE "${String(name)}" WITH (FORCE)`);
  for (const name of roles) await world.server.sql('postgres', `DROP ROLE "${String(name)}"`);
});

/** Versions 1, 2 and so on of shop_dev, each made so long before. */
async function publish(...madeAtMs: number[]): Promise<void> {
  for (const at of madeAtMs) {
    const target = world.target('shop_dev');
    await (await stage(target, toPlan({ keepVersions: 5 }))).publish({ madeAtMs: at });
    await target.close();
  }
}

async function expire(order: Partial<Expire> = {}): Promise<Expiry> {
  const target = world.target('shop_dev');
  try {
    return await carryOut(
      { target, sink, clock: systemClock },
      {
        ...{ pipeline: 'shop', target: { environment: 'test' }, verifiers: [logSigner.verifier] },
        ...{ newId: () => newRunId(Date.now()), ...order },
      },
    );
  } finally {
    await target.close();
  }
}

const versions = async (): Promise<string[]> =>
  (await world.target('shop_dev').datasets()).map(({ version, state, closed }) => `${version} ${state}${closed ? ` ${closed}` : ''}`);

it('drops every expired version, the current one too, with the roles that nobody needs then, and attests what it saw', async () => {
  await publish(longAgoMs, longAgoMs);
  const { versions: gone, findings } = await expire();
  expect(findings).toEqual([]);
  expect(gone.map(({ version, state, why }) => ({ version, state, why }))).toEqual([
    { version: 1, state: 'previous', why: 'expired' },
    { version: 2, state: 'current', why: 'expired' },
  ]);
  expect(await readTraces(world.server)).toEqual({ databases: [], roles: [] });
  expect(gone[1]?.attestation).toMatchObject({
    dropped: [
      { kind: 'database', name: 'shop_dev', statement: 'DROP DATABASE IF EXISTS "shop_dev" WITH (FORCE)', seen: 'gone', sessions: 0 },
      ...['owner', 'ro', 'rw'].map((role) => ({ kind: 'role', name: `shop_dev_${role}`, seen: 'gone' })),
    ],
    kept: [],
    beyond: { backups: { says: 'unknown' }, replicas: { says: 'unknown' } },
  });
  const told = eventsOf(home).filter(({ type }) => type.startsWith('dataset.dropped'));
  expect(told.map(({ type, data }) => `${type} ${Number(data['version'])}`)).toEqual([
    ...['dataset.dropped.intended 1', 'dataset.dropped.done 1', 'dataset.dropped.intended 2', 'dataset.dropped.done 2'],
  ]);
  expect(told[3]?.data['dropped']).toEqual(gone[1]?.attestation?.dropped);
});

it('leaves what has not expired, and what was adopted', async () => {
  await publish(longAgoMs, Date.now());
  expect((await expire({ dryRun: true })).versions).toMatchObject([{ version: 1, attestation: null, steps: [{ kind: 'database' }] }]);
  expect(await versions()).toEqual(['2 current', '1 previous']);
  expect((await expire()).versions.map(({ version }) => version)).toEqual([1]);
  expect(await versions()).toEqual(['2 current']);
  expect(await expire()).toEqual({ versions: [], findings: [] });
});

it('waits for the hours that the place keeps what has expired', async () => {
  await publish(Date.now() - 30 * dayMs - 3_600_000);
  const keep = { environment: 'test', keepExpired: { hours: 2, reason: 'a demo goes on' } };
  expect((await expire({ target: keep })).versions).toEqual([]);
  expect((await expire({ target: { environment: 'test', keepExpired: { hours: 1, reason: 'a demo' } } })).versions).toHaveLength(1);
});

it('takes a version away that somebody withdraws, and a roll-back goes to the one before it', async () => {
  await publish(Date.now(), Date.now());
  await expect(expire({ withdraw: { version: 7, reason: 'none' } })).rejects.toMatchObject({ code: 'DATASET_UNKNOWN' });
  await expire({ withdraw: { version: 2, reason: 'a person was in it' } });
  expect(await versions()).toEqual(['1 previous']);
  const target = world.target('shop_dev');
  expect(await target.rollback()).toMatchObject({ version: 1, state: 'current' });
  expect(JSON.stringify(eventsOf(home))).not.toContain('a person was in it');
});

it('ends the sessions of the environment, and keeps a role of which others are members', async () => {
  await publish(longAgoMs);
  await world.server.sql('postgres', `CREATE ROLE app LOGIN PASSWORD 'a password' IN ROLE shop_dev_rw`);
  const url = new URL(world.url('shop_dev'));
  url.username = 'app';
  const app = await connect({ name: 'app', url: url.toString() });
  const { versions: gone, findings } = await expire();
  expect(findings).toEqual([]);
  await expect(app.query('SELECT 1')).rejects.toBeDefined();
  expect(gone[0]?.attestation?.kept).toEqual([{ kind: 'role', name: 'shop_dev_rw', why: '1 others are members of it' }]);
  expect((await readTraces(world.server)).roles).toEqual(['app', 'shop_dev_rw']);
});

it('shuts everybody of the environment out of what it cannot drop, and drops it the next time', async () => {
  await publish(longAgoMs);
  await world.server.sql('postgres', `CREATE ROLE app LOGIN PASSWORD 'a password' IN ROLE shop_dev_owner`);
  // A superuser's session is not the provisioning role's to end.
  const superuser = await connect({ name: 'root', url: world.server.url('shop_dev') });
  const { versions: left, findings } = await expire();
  expect(left).toMatchObject([{ version: 1, attestation: null }]);
  expect(findings).toMatchObject([{ code: 'EXPIRY_IN_USE', where: { name: 'shop_dev' } }]);
  expect(await versions()).toEqual(['1 current expiring']);
  const [url, elsewhere] = [new URL(world.url('shop_dev')), new URL(world.url('postgres'))];
  for (const one of [url, elsewhere]) one.username = 'app';
  await expect(connect({ name: 'app', url: url.toString() })).rejects.toMatchObject({ code: 'PRIVILEGE_MISSING' });
  const app = await connect({ name: 'app', url: elsewhere.toString() });
  await expect(app.query('GRANT CONNECT ON DATABASE shop_dev TO PUBLIC')).rejects.toMatchObject({ code: '42501' });
  await app.end();
  await superuser.end();
  expect((await expire()).findings).toEqual([]);
  expect(await versions()).toEqual([]);
  expect(
    eventsOf(home)
      .slice(-4)
      .map(({ type }) => type),
  ).toEqual([...['dataset.dropped.intended', 'dataset.dropped.failed', 'dataset.dropped.intended', 'dataset.dropped.done']]);
});

it('says what the documents declare of the places that nobody can reach, until when', async () => {
  await publish(longAgoMs);
  const declared = { backups: { days: 14, reason: 'nightly base backups' }, topics: { days: 0, reason: 'none are fed' } };
  const { versions: gone } = await expire({ target: { environment: 'test', declared } });
  const { lookedAt = '', beyond } = gone[0]?.attestation ?? {};
  expect(beyond?.backups).toEqual({
    ...{ says: 'declared', days: 14, reason: 'nightly base backups' },
    until: new Date(Date.parse(lookedAt) + 14 * dayMs).toISOString(),
  });
  expect(beyond?.topics).toMatchObject({ says: 'declared', days: 0 });
  expect(beyond?.walArchives).toEqual({ says: 'unknown' });
});

it('takes the template and the clones of a version with it, and who is in one', async () => {
  const target = world.target('shop_dev');
  await (await stage(target, toPlan({ clones: { max: 3, hours: 24 } }))).publish();
  const expiresAt = new Date(Date.now() + dayMs).toISOString();
  const { login } = await target.clones.make({ id: newRunId(Date.now()), for: 'pr-1', expiresAt, lastsUntil: expiresAt, max: 3 });
  await target.close();
  const url = new URL(world.url(login.role));
  [url.username, url.password] = [encodeURIComponent(login.role), encodeURIComponent(login.password)];
  const inside = await connect({ name: 'clone', url: url.toString() });
  const { versions: gone, findings } = await expire({ withdraw: { version: 1, reason: 'a test' } });
  expect(findings).toEqual([]);
  await expect(inside.query('SELECT 1')).rejects.toBeDefined();
  expect(gone[0]?.attestation?.dropped.map(({ kind, name, seen }) => `${kind} ${name.replace(/[0-9a-z]{16}/, 'ID')} ${seen}`)).toEqual([
    ...['database shop_dev_bauta_ID_clone gone', 'database shop_dev gone', 'database shop_dev_bauta_ID_template gone'],
    ...['role shop_dev_bauta_ID_clone gone', 'role shop_dev_owner gone', 'role shop_dev_ro gone', 'role shop_dev_rw gone'],
  ]);
  expect(await readTraces(world.server)).toEqual({ databases: [], roles: [] });
});

it('drops nothing that is held, whoever asks, until the hold is lifted or its time has passed', async () => {
  await publish(longAgoMs);
  const target = world.target('shop_dev');
  const doors = { target, sink, clock: systemClock };
  const mark = { environment: 'test', version: 1, reason: 'a dispute' };
  const until = new Date(Date.now() + dayMs).toISOString();
  await expect(placeHold(doors, { ...mark, id: newRunId(Date.now()), until: '2020-01-01T00:00:00Z' })).rejects.toMatchObject({
    code: 'HOLD_PAST',
  });
  await placeHold(doors, { ...mark, id: newRunId(Date.now()), until });
  for (const order of [{}, { withdraw: { version: 1, reason: 'now' } }])
    expect(await expire(order)).toMatchObject({ versions: [], findings: [{ code: 'DATASET_HELD', where: { expected: until } }] });
  expect(await readMarkedDatasets(doors, [])).toMatchObject([{ version: 1, heldUntil: until, marker: 'expired' }]);
  // Its time has passed.
  const [hold] = await readHolds({ sink, clock: { now: () => Date.now() + 2 * dayMs } });
  expect(hold).toBeUndefined();
  await liftHold(doors, { ...mark, id: newRunId(Date.now()) });
  expect((await expire()).versions).toHaveLength(1);
  expect(JSON.stringify(eventsOf(home))).not.toContain('a dispute');
});

it('attests what a publication prunes as it attests an expiry, and lets its clones have their time', async () => {
  const plan = toPlan({ clones: { max: 3, hours: 24 }, declared: { backups: { days: 14, reason: 'nightly base backups' } } });
  const target = world.target('shop_dev');
  const publishNext = async (): Promise<unknown> => (await stage(target, plan)).publish({ sink });
  await publishNext();
  const expiresAt = new Date(Date.now() + dayMs).toISOString();
  const { login } = await target.clones.make({ id: newRunId(Date.now()), for: 'pr-1', expiresAt, lastsUntil: expiresAt, max: 3 });
  const [first] = await target.datasets();
  expect([await publishNext(), await publishNext()]).toEqual([[], []]);
  expect(await versions()).toEqual(['3 current', '2 previous']);
  const [intent, done] = eventsOf(home).filter(({ type, data }) => type.startsWith('dataset.dropped') && data['run'] === first?.runId);
  const steps = ['', '_template'].map((suffix) => `DROP DATABASE IF EXISTS "shop_dev_bauta_${first?.runId}${suffix}" WITH (FORCE)`);
  expect(intent).toMatchObject({
    type: 'dataset.dropped.intended',
    data: { why: 'pruned', version: 1, state: 'previous', steps: steps.map((statement) => ({ statement })) },
  });
  expect(done).toMatchObject({
    type: 'dataset.dropped.done',
    data: {
      dropped: steps.map((statement) => ({ kind: 'database', statement, seen: 'gone', sessions: 0 })),
      kept: [{ kind: 'database', name: login.role, why: `a clone of it, which ends at ${expiresAt}` }],
      beyond: { backups: { says: 'declared', days: 14 }, walArchives: { says: 'unknown' } },
    },
  });
  expect(await target.clones.list()).toMatchObject([{ for: 'pr-1', version: 1 }]);
  await target.close();
});

it('what stands in the way of pruning is a warning, and the version is shut until the next publication drops it', async () => {
  await publish(Date.now());
  const target = world.target('shop_dev');
  const publishNext = async (): Promise<unknown> => (await stage(target, toPlan({ keepVersions: 1 }))).publish({ sink });
  await publishNext();
  const [, old] = await target.datasets();
  // A superuser's session is not the provisioning role's to end.
  const superuser = await connect({ name: 'root', url: world.server.url(old!.database) });
  expect(await publishNext()).toMatchObject([
    { code: 'TARGET_NOT_PRUNED', severity: 'warning', where: { name: old!.database } },
    { code: 'EXPIRY_IN_USE', severity: 'warning' },
  ]);
  expect(await versions()).toEqual(['3 current', '2 previous', '1 previous expiring']);
  await superuser.end();
  expect(await publishNext()).toEqual([]);
  expect(await versions()).toEqual(['4 current', '3 previous']);
});

it('prunes no version that is held, and goes back to none that was revoked', async () => {
  await publish(Date.now(), Date.now());
  const target = world.target('shop_dev');
  const doors = { target, sink, clock: systemClock };
  await placeHold(doors, {
    ...{ environment: 'test', version: 1, reason: 'a dispute', id: newRunId(Date.now()) },
    until: new Date(Date.now() + dayMs).toISOString(),
  });
  const findings = await (await stage(target, toPlan({ keepVersions: 1 }))).publish({ sink });
  expect(findings).toMatchObject([{ code: 'DATASET_HELD', severity: 'warning', where: { amount: '1' } }]);
  expect(await versions()).toEqual(['3 current', '2 previous', '1 previous']);
  await revoke(doors, { environment: 'test', version: 2, reason: 'a wrong rulebook', id: newRunId(Date.now()) });
  const policy = { decide: () => Promise.reject(new Error('nobody asks')), close: () => Promise.resolve() };
  const keys = { expiresAt: () => Promise.resolve(null) } as unknown as KeyProvider;
  await expect(rollBack({ ...doors, policy, keys }, { id: newRunId(Date.now()), environment: 'test' })).rejects.toMatchObject({
    code: 'DATASET_REVOKED',
  });
  expect(await versions()).toEqual(['3 current', '2 previous', '1 previous']);
});
