// The published examples of the vendors; and that nothing but the very bytes under the very secret is accepted.
import { createHmac } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { OLDEST_MS, SKEW_MS, type Verified, verifyDelivery } from './verify-delivery.js';

const NOW = Date.parse('2026-10-01T12:00:00Z');
const bytes = (text: string): Buffer => Buffer.from(text);
const sign = (secret: string, body: string): string => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
const push = (pushedAt: number, ref = 'refs/heads/main'): string => JSON.stringify({ ref, repository: { pushed_at: pushedAt } });
const gitHub = (body: string, secret = 'kept-from-strangers', event = 'push'): ReturnType<typeof verifyDelivery> =>
  verifyDelivery('github', { headers: { 'x-hub-signature-256': sign('kept-from-strangers', body), 'x-github-event': event }, body: bytes(body) }, secret, NOW); // prettier-ignore

describe('GitHub', () => {
  it("accepts the example of GitHub's documentation", () => {
    const headers = {
      'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
      'x-github-event': 'ping',
    };
    const verified = verifyDelivery('github', { headers, body: bytes('Hello, World!') }, "It's a Secret to Everybody", NOW);
    expect(verified).toMatchObject({ event: 'ping', digest: expect.stringMatching(/^sha256:/) });
  });

  it('tells event, branch and digest, and how long a second one has to be told', () => {
    const first = gitHub(push(NOW / 1000 - 60)) as Verified;
    expect(first).toMatchObject({ event: 'push', branch: 'main' });
    expect(first.toldForMs).toBeGreaterThan(OLDEST_MS + SKEW_MS);
    expect((gitHub(push(NOW / 1000 - 60)) as Verified).digest).toBe(first.digest);
    expect((gitHub(push(NOW / 1000 - 61)) as Verified).digest).not.toBe(first.digest);
  });

  it.each([
    ['72 hours old', push((NOW - OLDEST_MS) / 1000), undefined],
    ['older', push((NOW - OLDEST_MS) / 1000 - 1), 'old'],
    ['five minutes ahead', push((NOW + SKEW_MS) / 1000), undefined],
    ['further ahead', push((NOW + SKEW_MS) / 1000 + 1), 'old'],
    ['without a time', '{"ref":"refs/heads/main"}', 'unreadable'],
    ['no JSON', 'payload=%7B%7D', 'unreadable'],
    ['nested too deep', '['.repeat(200_000), 'unreadable'],
  ])('an event that is %s', (_, body, expected) => {
    const verdict = gitHub(body);
    expect(typeof verdict === 'string' ? verdict : undefined).toBe(expected);
  });

  it.each([
    ['workflow_run', { workflow_run: { updated_at: '2026-10-01T11:59:00Z', head_branch: 'next' } }, 'next'],
    ['pull_request', { pull_request: { updated_at: '2026-10-01T11:59:00Z', base: { ref: 'main' } } }, 'main'],
    ['deployment', { deployment: { updated_at: '2026-10-01T11:59:00Z', ref: 'v1' } }, 'v1'],
  ])('reads time and branch of %s', (event, body, branch) => {
    expect(gitHub(JSON.stringify(body), undefined, event)).toMatchObject({ event, branch });
  });
});

describe('Standard Webhooks', () => {
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const headers = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  };
  const body = bytes('{"test": 2432232314}');
  const at = 1_614_265_330_000;

  it('accepts the example of the standard, also beside a signature of another secret, and five minutes apart', () => {
    const beside = `v1,${'A'.repeat(43)}= v2,x ${headers['webhook-signature']}`;
    for (const [given, now] of [
      [headers, at],
      [{ ...headers, 'webhook-signature': beside }, at],
      [headers, at + SKEW_MS],
      [headers, at - SKEW_MS],
    ] as const)
      // prettier-ignore
      expect(verifyDelivery('hmac', { headers: given, body }, secret, now)).toMatchObject({ digest: expect.stringMatching(/^sha256:/) });
  });

  it.each([
    ['another body', headers, bytes('{"test": 2432232315}'), at, 'forged'],
    ['another id', { ...headers, 'webhook-id': 'msg_q' }, body, at, 'forged'],
    ['another time', { ...headers, 'webhook-timestamp': '1614265331' }, body, at, 'forged'],
    ['too late', headers, body, at + SKEW_MS + 1000, 'old'],
    ['no signature', { ...headers, 'webhook-signature': '' }, body, at, 'unsigned'],
    ['no id', { ...headers, 'webhook-id': '' }, body, at, 'unsigned'],
    // Id and time are joined by a dot: one that has a dot could pass for another.
    ['an id with a dot', { ...headers, 'webhook-id': 'a.b' }, body, at, 'unsigned'],
  ])('refuses %s', (_, given, bad, now, expected) => {
    expect(verifyDelivery('hmac', { headers: given, body: bad }, secret, now)).toBe(expected);
  });
});

describe('GitLab', () => {
  const body = bytes('{"ref":"refs/heads/main"}');
  const ask = (token?: string): ReturnType<typeof verifyDelivery> =>
    verifyDelivery('gitlab', { headers: { 'x-gitlab-event': 'Push Hook', ...(token === undefined ? {} : { 'x-gitlab-token': token }) }, body }, 'kept-from-strangers', NOW); // prettier-ignore

  it('accepts its token and nothing else', () => {
    expect(ask('kept-from-strangers')).toMatchObject({ event: 'Push Hook', branch: 'main' });
    expect([ask('kept-from-strangert'), ask('kept'), ask('kept-from-strangers '), ask('')]).toEqual([
      'forged',
      'forged',
      'forged',
      'unsigned',
    ]);
    // Nothing else tells how old it is: a second one is told for ever.
    expect((ask('kept-from-strangers') as Verified).toldForMs).toBeUndefined();
  });
});

it('accepts no other bytes and no other secret', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (body, at, flip) => {
      const signature = `sha256=${createHmac('sha256', 'kept-from-strangers').update(body).digest('hex')}`;
      const other = body.map((byte, i) => (i === at % body.length ? byte ^ flip : byte));
      const headers = { 'x-hub-signature-256': signature, 'x-github-event': 'ping' };
      expect(verifyDelivery('github', { headers, body }, 'kept-from-strangers', NOW)).toMatchObject({ event: 'ping' });
      expect(verifyDelivery('github', { headers, body: other }, 'kept-from-strangers', NOW)).toBe('forged');
      expect(verifyDelivery('github', { headers, body }, 'kept-from-stranger', NOW)).toBe('forged');
    }),
  );
});
