import { expect, it, jest } from '@jest/globals';

import { toError } from '../../kernel/errors.js';
import type { Decision } from '../decision.js';
import type { Policy } from '../ports.js';
import { decide, toDecisionRecord } from './gate.js';

const bundle = { revision: 'r1', digest: 'sha256:ab' };
const allowed: Decision = { decisionId: 'd1', allow: true, reasons: [], policy: bundle };
const reason = { code: 'X', controlIds: ['C'], message: 'm', hint: 'h' };
const denied: Decision = { ...allowed, allow: false, reasons: [reason] };

const toPolicy = (answer: () => unknown): Policy => ({ bundle, decide: answer as () => Promise<Decision>, close: () => Promise.resolve() });

it('hands a yes and a no with reasons on as they are', async () => {
  expect(
    await decide(
      toPolicy(() => Promise.resolve(allowed)),
      {},
    ),
  ).toEqual(allowed);
  expect(
    await decide(
      toPolicy(() => Promise.resolve(denied)),
      {},
    ),
  ).toEqual(denied);
});

const answers: readonly (readonly [string, () => unknown])[] = [
  ['a rejection', () => Promise.reject(new Error('anna@example.com'))],
  ['a throw before the promise', () => { throw new Error('anna@example.com'); }],
  ['a thrown string, as the SDK throws', () => { throw 'anna@example.com'; }], // eslint-disable-line @typescript-eslint/only-throw-error
  ['a code of ours', () => Promise.reject(toError('POLICY_ANSWER_UNUSABLE'))],
  ['nothing', () => Promise.resolve(undefined)],
  ['null', () => Promise.resolve(null)],
  ['a bare true', () => Promise.resolve(true)],
  ['an empty result set', () => Promise.resolve([])],
  ['a yes that is no boolean', () => Promise.resolve({ ...allowed, allow: 1 })],
  ['a yes in letters', () => Promise.resolve({ ...allowed, allow: 'true' })],
  ['a yes with reasons against it', () => Promise.resolve({ ...allowed, reasons: [reason] })],
  ['a no without reasons', () => Promise.resolve({ ...denied, reasons: [] })],
  ['no list of reasons', () => Promise.resolve({ ...allowed, reasons: undefined })],
  ['a reason without controls', () => Promise.resolve({ ...denied, reasons: [{ ...reason, controlIds: undefined }] })],
  ['a reason that is a text', () => Promise.resolve({ ...denied, reasons: ['no'] })],
  ['no decision id', () => Promise.resolve({ ...allowed, decisionId: '' })],
  ['no policy', () => Promise.resolve({ ...allowed, policy: undefined })],
]; // prettier-ignore

it.each(answers)('takes %s for a no', async (name, answer) => {
  const decision = await decide(toPolicy(answer), { pipeline: 'shop' });
  expect(decision.allow).toBe(false);
  // What is known to have stood in the way is said too, with a code of its own.
  const known = name === 'a code of ours' ? ['POLICY_ANSWER_UNUSABLE'] : [];
  expect(decision.reasons.map(({ code }) => code)).toEqual(['GATE_UNDECIDED', ...known]);
  expect(decision.policy).toEqual(bundle);
  expect(decision.decisionId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(JSON.stringify(decision)).not.toContain('anna');
});

it('takes silence for a no when the time is up, and leaves no timer behind', async () => {
  jest.useFakeTimers();
  try {
    const decision = decide(
      toPolicy(() => new Promise(() => undefined)),
      {},
      { timeLimitMs: 1000 },
    );
    await jest.advanceTimersByTimeAsync(1000);
    expect(await decision).toMatchObject({ allow: false, reasons: [{ code: 'GATE_UNDECIDED' }] });
    await decide(
      toPolicy(() => Promise.resolve(allowed)),
      {},
    );
    expect(jest.getTimerCount()).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});

it('names an undecided question by its content, so that two questions have two ids', async () => {
  const fails = toPolicy(() => Promise.resolve(undefined));
  const [first, second] = [await decide(fails, { nowMs: 1 }), await decide(fails, { nowMs: 2 })];
  expect(first.decisionId).not.toBe(second.decisionId);
  expect((await decide(fails, { nowMs: 1 })).decisionId).toBe(first.decisionId);
});

it('tells a decision in the form of the decision log of OPA', () => {
  const record = toDecisionRecord(denied, { pipeline: 'shop' }, { atMs: 0, metrics: { timer_rego_query_eval_ns: 5 } });
  expect(record).toEqual({
    labels: { app: 'bauta', policy_digest: 'sha256:ab' },
    decision_id: 'd1',
    bundles: { bauta: { revision: 'r1' } },
    path: 'gate/provision/decision',
    input: { pipeline: 'shop' },
    result: { allow: false, reasons: [reason] },
    metrics: { timer_rego_query_eval_ns: 5 },
    timestamp: '1970-01-01T00:00:00.000Z',
  });
});
