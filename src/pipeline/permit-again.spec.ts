import { expect, it } from '@jest/globals';

import { Journal } from './audit/audit.js';
import type { Decision, GateInput } from './decision.js';
import type { Event } from './event.js';
import { permitAgain, questionType } from './permit-again.js';
import type { AuditSink } from './ports.js';

const version = { target: 'shop_dev', version: 3, runId: 'r', planDigest: 'sha256:p' };
const source = (address: string): { systemIdentifier: string; address: string; database: string } => ({
  ...{ systemIdentifier: '7', address, database: 'shop' },
});
const question = {
  ...{ planDigest: 'sha256:p', nowMs: 0, today: 0, key: { version: 2, expiresAtMs: null }, target: { systemIdentifier: '9' } },
  ...{ knownSources: [source('a:5432')], columns: [{ table: 'app.person' }] },
};
const yes: Decision = { decisionId: 'd', allow: true, reasons: [], policy: { revision: 'now', digest: 'sha256:b' } };
const no: Decision = { ...yes, allow: false, reasons: [{ code: 'TARGET_REGION', controlIds: ['X'], message: 'm', hint: 'h' }] };

/** As `policies/dataset/again` has it, which its own tests hold to it. */
function policyOf({ again }: GateInput): Decision {
  const { startedAtMs, erasureAtMs } = again as { startedAtMs: number | null; erasureAtMs: number | null };
  const outlived = erasureAtMs === null || (startedAtMs !== null && startedAtMs > erasureAtMs);
  return outlived ? yes : { ...no, reasons: [{ code: 'ERASURE_PENDING', controlIds: ['X'], message: 'm', hint: 'h' }] };
}

async function ask(log: Event[], decision: Decision | undefined, of = version): Promise<GateInput | undefined> {
  const checkpoint = { origin: 'o', size: 0, root: '' };
  const sink: AuditSink = {
    append: (one) => Promise.resolve({ index: log.push(one) - 1, checkpoint }),
    ...{ keep: () => Promise.resolve(''), sign: (text) => Promise.resolve(text), close: () => Promise.resolve() },
    read: (types, runId) => Promise.resolve(log.filter((one) => types.includes(one.type) && one.runId === runId)),
    standing: (types) => Promise.resolve(log.filter(({ type }) => types.includes(type))),
  };
  let asked: GateInput | undefined;
  const policy = {
    decide: (input: GateInput) => Promise.resolve(((asked = input), decision ?? policyOf(input))),
    close: () => Promise.resolve(),
  };
  const clock = { now: () => 86_400_000 * 2 + 1 };
  const keys = { expiresAt: (key: number) => Promise.resolve(key * 1000) };
  await permitAgain({ sink, policy, keys, clock }, new Journal(sink, clock, 'clone'), of, [source('b:5432'), source('a:5432')]);
  return asked;
}

const asked = (planDigest = 'sha256:p'): Event => ({
  ...{ runId: 'r', stage: 'gate', type: questionType, at: '' },
  data: { input: { ...question, planDigest } },
});

it('asks what was asked for the version, with the time, the key and the sources of now, and tells the log', async () => {
  const log = [asked()];
  expect(await ask(log, yes)).toEqual({
    ...question,
    ...{ nowMs: 172_800_001, today: 2, key: { version: 2, expiresAtMs: 2000 }, knownSources: [source('a:5432'), source('b:5432')] },
    again: { startedAtMs: null, erasureAtMs: null, revoked: false },
  });
  expect(log[1]).toMatchObject({
    runId: 'clone',
    type: 'gate.asked-again',
    data: { target: 'shop_dev', version: 3, decision: { allow: true } },
  });
});

it('a no of today counts, and names its reasons', async () => {
  const log = [asked()];
  await expect(ask(log, no)).rejects.toMatchObject({ code: 'GATE_DENIED_AGAIN', where: { amount: '3', expected: 'TARGET_REGION' } });
  expect(log[1]).toMatchObject({ type: 'gate.asked-again', data: { decision: { allow: false } } });
});

it('a version whose run began before a person was to be erased is not used again, and one that began after is', async () => {
  const requested = (target: string, at: string): Event => ({
    ...{ runId: 'e', stage: 'control', type: 'erasure.requested', at },
    data: { server: '9', target, erasure: 'e' },
  });
  const started = (at: string): Event => ({ ...{ runId: 'r', stage: 'source', type: 'run.started', at }, data: {} });
  const [early, late] = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'];
  const pending = { code: 'ERASURE_PENDING', where: { name: 'shop_dev', amount: '3' } };
  await expect(ask([asked(), requested('shop_dev', late), started(early)], undefined)).rejects.toMatchObject(pending);
  // The first attempt read rows that the second one may have gone on with; and who tells nothing may have read them.
  await expect(ask([asked(), requested('shop_dev', early), started(early), started(late)], undefined)).rejects.toMatchObject(pending);
  await expect(ask([asked(), requested('shop_dev', early)], undefined)).rejects.toMatchObject(pending);
  await expect(ask([asked(), requested('shop_dev', early), started(late)], undefined)).resolves.toBeDefined();
  await expect(ask([asked(), requested('other', late), started(early)], undefined)).resolves.toBeDefined();
});

it('without the question of that very plan there is no yes', async () => {
  for (const log of [[], [asked('sha256:other')]]) await expect(ask(log, yes)).rejects.toMatchObject({ code: 'GATE_QUESTION_MISSING' });
});
