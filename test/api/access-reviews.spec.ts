// Reviews of access: everything that somebody holds is listed, somebody else decides of each, what is revoked is gone at once, and what nobody decides of in
// time is an exception of the report.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { AccessReviewClock } from '../../src/control/accessreviews/accessreviews.js';
import { toMessage } from '../../src/control/notifications/notice-message.js';
import type { LoggedEvent } from '../../src/pipeline/event.js';
import { collect } from '../../src/pipeline/report/report.js';
import type { Notice } from '../../src/systems/metadata/metadata.js';
import { toFacts } from '../../src/systems/notify/message.js';
import { findApart } from '../support/reconciled.js';
import { type Answer, type ServiceWorld, startServiceWorld } from '../support/service.js';
import { bauta } from '../support/tiny-source.js';

const day = 86_400_000;
const clock = { ahead: 0, now: () => Date.now() + clock.ahead };
const tokens: Record<string, string> = {};
let world: ServiceWorld;
let folder = '';
beforeAll(async () => {
  world = await startServiceWorld(undefined, clock);
  folder = mkdtempSync(join(tmpdir(), 'bauta-access-'));
  for (const [name, roles] of Object.entries({
    adam: ['administrator'],
    anna: ['administrator'],
    audrey: ['auditor'],
    rita: ['requester@dev', 'viewer'],
  }))
    tokens[name] = await world.person(name, roles);
}, 60_000);
afterAll(async () => {
  await world.stop();
  rmSync(folder, { recursive: true });
});

interface Item {
  readonly item: number;
  readonly kind: string;
  readonly person: string;
  readonly holds: string;
  readonly lastUsedAt: string | null;
}
const ask = (method: string, path: string, who: string, json?: object): Promise<Answer> =>
  world.ask(method, path, { token: tokens[who]!, ...(json ? { json } : {}) });
const items = async (id: string): Promise<readonly Item[]> =>
  (await ask('GET', `/v1/access-reviews/${id}/items?limit=200`, 'audrey')).body['items'] as readonly Item[];
const decide = (id: string, item: number, decision: string, who: string): Promise<Answer> =>
  ask('POST', `/v1/access-reviews/${id}/items/${item}`, who, { decision, reason: 'looked at it' });
/** As the log has it, once it is sequenced: the report is made of nothing else. */
async function readChecks(): Promise<Awaited<ReturnType<typeof collect>>> {
  const rows = await world.sql(`SELECT event FROM bauta.outbox ORDER BY id`);
  async function* read(): AsyncGenerator<LoggedEvent> {
    await Promise.resolve();
    for (const [index, row] of rows.entries()) {
      const { actor, data, type, at } = row['event'] as { actor?: string; data: LoggedEvent['event']['data']; type: string; at: string };
      yield {
        log: '2026',
        index,
        event: { type, at, runId: '', stage: 'control', data: { ...data, ...(actor === undefined ? {} : { actor }) } },
      };
    }
  }
  return collect(read(), { from: '2000-01-01T00:00:00.000Z', to: '2100-01-01T00:00:00.000Z', zone: 'UTC' });
}
const conclusion = (collected: Awaited<ReturnType<typeof collect>>, id: string): string => collected.checks.get(id)!.conclusion;

let review = '';
it('lists every role and key with who holds it and when it was used, one review at a time', async () => {
  expect((await ask('GET', '/v1/access-reviews', 'rita')).status).toBe(403);
  expect((await ask('POST', '/v1/access-reviews', 'audrey', {})).status).toBe(403);
  const { status, body } = await ask('POST', '/v1/access-reviews', 'adam', { days: 7 });
  expect([status, body]).toMatchObject([201, { openedBy: 'adam', kept: 0, revoked: 0, exception: false, closedAt: null }]);
  review = body['id'] as string;
  expect((await ask('POST', '/v1/access-reviews', 'anna', {})).body).toMatchObject({ status: 409, code: 'ACCESS_REVIEW_OPEN' });
  const held = await items(review);
  expect(held).toHaveLength(body['items'] as number);
  expect(
    held
      .filter(({ kind }) => kind === 'role')
      .map(({ person, holds }) => `${person} ${holds}`)
      .sort(),
  ).toEqual([...['adam administrator', 'anna administrator', 'audrey auditor', 'rita requester@dev', 'rita viewer']]);
  const keys = held.filter(({ kind }) => kind === 'apikey');
  expect(keys.map(({ person }) => person).sort()).toEqual(['adam', 'anna', 'audrey', 'rita']);
  // Rita was refused with her key a moment ago; anna had used hers for nothing when the review was opened.
  expect(keys.map(({ person, lastUsedAt }) => `${person} ${lastUsedAt === null ? 'not known' : 'used'}`).sort()).toEqual([
    ...['adam used', 'anna not known', 'audrey used', 'rita used'],
  ]);
});

it('lets nobody decide of what he holds, nor twice', async () => {
  const held = await items(review);
  const of = (person: string, holds: string): number => held.find((one) => one.person === person && one.holds === holds)!.item;
  const own = await decide(review, of('adam', 'administrator'), 'keep', 'adam');
  expect(own.body).toMatchObject({ status: 403, code: 'ACCESS_REVIEW_OWN' });
  const kept = await decide(review, of('adam', 'administrator'), 'keep', 'anna');
  expect([kept.status, kept.body]).toMatchObject([200, { decision: 'keep', decidedBy: 'anna', effect: 'done', reason: 'looked at it' }]);
  expect((await decide(review, of('adam', 'administrator'), 'revoke', 'anna')).body).toMatchObject({ code: 'ACCESS_REVIEW_DECIDED' });
  expect((await decide(review, 999, 'keep', 'anna')).status).toBe(404);
  // The database itself takes no decision of a person about himself.
  await expect(
    world.sql(
      `UPDATE bauta.access_review_item SET decision = 'keep', decided_by = person_id, decided_at = now(), reason = 'x', effect = 'done'
         WHERE review_id = '${review}' AND decision IS NULL`,
    ),
  ).rejects.toThrow();
});

it('takes away at once what is revoked, asks another administrator where one is unseated, and is closed with the last decision', async () => {
  const held = await items(review);
  const of = (person: string, holds: string): number => held.find((one) => one.person === person && one.holds === holds)!.item;
  expect((await decide(review, of('rita', 'viewer'), 'revoke', 'adam')).body).toMatchObject({ effect: 'done' });
  expect((await ask('GET', '/v1/people/rita', 'audrey')).body['roles']).toEqual(['requester@dev']);
  const key = held.find(({ person, kind }) => person === 'rita' && kind === 'apikey')!;
  expect((await decide(review, key.item, 'revoke', 'adam')).body).toMatchObject({ effect: 'done' });
  expect((await ask('GET', '/v1/runs', 'rita')).status).toBe(401);
  expect((await decide(review, of('anna', 'administrator'), 'revoke', 'adam')).body).toMatchObject({ effect: 'waits' });
  expect((await ask('GET', '/v1/people/anna', 'audrey')).body['roles']).toEqual(['administrator']);
  // With the command line, as people do it.
  const key2 = world.secret(tokens['anna']!);
  const cli = (...words: string[]): ReturnType<typeof bauta> =>
    bauta(['access', ...words, '--server', world.url, '--token', 'env:KEY'], { env: { KEY: key2 }, cwd: folder });
  const left = (await items(review)).filter((one) => (one as unknown as { decision: string | null }).decision === null);
  for (const { item, person } of left.filter(({ person: who }) => who !== 'anna')) {
    const said = await cli('keep', review, String(item), '--reason', `needed by ${person}`);
    expect([said.exitCode, said.stdout]).toEqual([0, expect.stringContaining('keep by anna')]);
  }
  for (const { item } of left.filter(({ person }) => person === 'anna')) await decide(review, item, 'keep', 'adam');
  const shown = await cli('show', review, '--json');
  expect(JSON.parse(shown.stdout)).toMatchObject({ reviews: [{ id: review, kept: held.length - 3, revoked: 3, exception: false }] });
  expect((await ask('GET', `/v1/access-reviews/${review}`, 'audrey')).body['closedAt']).toMatch(/^\d{4}-/);
  const collected = await readChecks();
  expect(conclusion(collected, 'reviews-in-time')).toBe('pass');
  expect(conclusion(collected, 'reviews-by-others')).toBe('pass');
  // An administrator’s role waits for somebody else: it was not taken away with the decision.
  expect(conclusion(collected, 'revocations-done')).toBe('no evidence');
  expect(collected.populations.get('access-held')!.rows).toBe(held.length);
  expect(JSON.stringify([...collected.populations.values()])).not.toContain('needed by');
});

it('is opened by the service when the last one was long ago, and is an exception when nobody decides', async () => {
  const failures: unknown[] = [];
  const reviews = new AccessReviewClock({ metadata: world.metadata, clock, everyDays: 90, failed: (error) => failures.push(error) });
  try {
    await reviews.look();
    expect((await ask('GET', '/v1/access-reviews', 'audrey')).body['items']).toHaveLength(1);
    clock.ahead = 91 * day;
    await world.sql(`UPDATE bauta.workspace SET created_at = created_at - interval '1 day'`);
    await world.sql(`UPDATE bauta.token SET expires_at = expires_at + interval '1 year'`);
    await Promise.all([reviews.look(), reviews.look()]);
    const [newest] = (await ask('GET', '/v1/access-reviews', 'audrey')).body['items'] as {
      id: string;
      openedBy: string | null;
      closedAt: null;
    }[];
    expect(newest).toMatchObject({ openedBy: null, closedAt: null, exception: false });
    clock.ahead = 106 * day;
    await Promise.all([reviews.look(), reviews.look()]);
    await reviews.look();
    expect((await ask('GET', `/v1/access-reviews/${newest!.id}`, 'audrey')).body['exception']).toBe(true);
    const told = await world.sql(`SELECT event FROM bauta.outbox WHERE event ->> 'type' = 'access-review.overdue'`);
    expect(told).toHaveLength(1);
    const [notice, ...more] = (await world.sql(
      `SELECT event FROM bauta.notice WHERE event ->> 'type' = 'access-review.overdue'`,
    )) as unknown as { event: Notice }[];
    expect(more).toEqual([]);
    const message = await world.metadata.within(world.workspaces.home, (transaction) => toMessage(transaction, notice!.event, 'default'));
    expect(message).toMatchObject({ event: 'access-review-overdue', review: newest!.id, workspace: 'default' });
    expect(toFacts(message!)).toContainEqual(['Review', newest!.id]);
    const collected = await readChecks();
    expect(collected.populations.get('access-reviews')!.rows).toBe(2);
    expect(conclusion(collected, 'reviews-in-time')).toBe('exception');
    expect(failures).toEqual([]);
  } finally {
    await reviews.stop();
    clock.ahead = 0;
  }
});

it('has in its tables what its log tells, by id and by column', async () => {
  expect(await findApart(world)).toEqual([]);
});
