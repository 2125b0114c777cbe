import { Readable } from 'node:stream';

import { expect, it } from '@jest/globals';

import type { Request, Response } from '../http/http.js';
import { AnswerMemory } from './answer-memory.js';
import type { Answer } from './to-answer.js';

const now = Date.parse('2026-11-22T04:00:00.000Z');
const token = `Bearer bauta_${'a'.repeat(43)}`;
const path = '/v1/gates/production/decisions';
const asked = { environment: 'prod', service: 'web' };
const text = JSON.stringify(asked);
const answer = (allow = true): Answer => ({ allow, decisionId: 'd', expiresAt: '2026-11-22T04:15:00.000Z' }) as Answer;

const request = (
  change: Partial<{ authorization: string; path: string; body: string; method: string; failStatus: string }> = {},
): Request => {
  const { authorization = token, body = text, failStatus, ...rest } = change;
  const query = failStatus === undefined ? {} : { failStatus };
  return Object.assign(Readable.from([Buffer.from(body)]), {
    headers: { authorization },
    body,
    query,
    method: 'POST',
    path,
    ...rest,
  }) as unknown as Request;
};
async function said(memory: AnswerMemory, change: Parameters<typeof request>[0] = {}, atMs = now): Promise<readonly unknown[]> {
  const sent: unknown[] = [];
  const response = {
    status: (code: number) => (sent.push(code), response),
    type: () => response,
    send: (body: string) => (sent.push(JSON.parse(body)), response),
  };
  const answered = await memory.answer(request(change), response as unknown as Response, { now: () => atMs });
  return answered ? sent : [];
}
function filled(given = answer()): AnswerMemory {
  const memory = new AnswerMemory();
  memory.keep(request(), 'w', 'production', asked, given);
  return memory;
}

it('gives the same answer to the same body by the same token, and says that it is one from before', async () => {
  expect(await said(filled())).toEqual([200, { ...answer(), kept: true }]);
  expect(await said(filled(answer(false)))).toEqual([200, { ...answer(false), kept: true }]);
  expect(await said(filled(answer(false)), { failStatus: '1' })).toEqual([403, { ...answer(false), kept: true }]);
  expect(await said(filled(), { failStatus: '1' })).toEqual([200, { ...answer(), kept: true }]);
});

it('gives nothing to anybody or anything else', async () => {
  for (const change of [
    { authorization: `Bearer bauta_${'b'.repeat(43)}` },
    { authorization: '' },
    { authorization: token.replace('Bearer', 'Basic') },
    { body: `${text} ` },
    { path: '/v1/gates/other/decisions' },
    { path: `${path}/x` },
    { method: 'PUT' },
    { failStatus: '2' },
    { body: 'x'.repeat(2_000_000) },
  ])
    expect([change, await said(filled(), change)]).toEqual([change, []]);
});

it('gives nothing from the moment on at which it is no longer good', async () => {
  const end = Date.parse(answer().expiresAt);
  expect((await said(filled(), {}, end - 1)).length).toBe(2);
  expect(await said(filled(), {}, end)).toEqual([]);
});

it('forgets what was flipped, and what was answered to a token that is taken once is never kept', async () => {
  const memory = filled();
  memory.forget('w', 'production', 'prod', 'api');
  memory.forget('other', 'production', 'prod', 'web');
  expect((await said(memory)).length).toBe(2);
  memory.forget('w', 'production', 'prod', 'web');
  expect(await said(memory)).toEqual([]);
  const authorization = 'Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln';
  memory.keep(request({ authorization }), 'w', 'production', asked, answer());
  expect(await said(memory, { authorization })).toEqual([]);
});
