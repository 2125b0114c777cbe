// A token and an address may ask so much and no more, and are told when there is room again; every answer has the headers that let a browser do little.
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { parseSettings } from '../../src/config/settings.js';
import { KeptSecrets } from '../support/kept-secrets.js';
import { type ServiceWorld, startServiceWorld } from '../support/service.js';

let world: ServiceWorld;
let [ada, eve] = ['', ''];
beforeAll(async () => {
  const settings = parseSettings({ BAUTA_RATE_TOKEN: '5', BAUTA_RATE_ADDRESS: '60' });
  world = await startServiceWorld(undefined, undefined, {}, { settings });
  ada = await world.person('ada', ['viewer']);
  eve = await world.person('eve', ['viewer']);
});
afterAll(() => world.stop());

it('answers 429 with Retry-After to a token that asks too much, and goes on answering others', async () => {
  const answers = await Promise.all(Array.from({ length: 30 }, () => world.ask('GET', '/v1/runs', { token: ada })));
  const refused = answers.filter(({ status }) => status === 429);
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(10);
  expect(refused.length).toBeGreaterThan(5);
  expect(refused[0]?.body['code']).toBe('RATE_EXCEEDED');
  expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect((await world.ask('GET', '/v1/runs', { token: eve })).status).toBe(200);
});

it('counts what has no valid token for twenty, and lets probes through', async () => {
  const statuses: number[] = [];
  for (let i = 0; i < 12; i++) statuses.push((await world.ask('GET', '/v1/runs', { token: 'guess' })).status);
  expect(statuses).toContain(401);
  expect(statuses).toContain(429);
  expect((await world.ask('GET', '/v1/health/live')).status).toBe(200);
});

it('has its headers on every answer, errors too', async () => {
  const answers = [await world.ask('GET', '/v1/health/live'), await world.ask('GET', '/v1/nothing', { token: eve })];
  for (const { headers } of answers)
    expect(
      Object.fromEntries(
        ['x-content-type-options', 'x-frame-options', 'cache-control', 'strict-transport-security', 'x-powered-by'].map((name) => [
          name,
          headers.get(name),
        ]),
      ),
    ).toEqual({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
      'strict-transport-security': 'max-age=31536000',
      'x-powered-by': null,
    });
});

it('would find a secret that was said, logged or stored: each suite of the API ends with that search', () => {
  const kept = new KeptSecrets();
  const secret = `bauta_${'A'.repeat(43)}`;
  kept.hear(`{"token":"${secret}"}`);
  kept.check(['nothing']);
  expect(() => kept.check([`(1,${secret})`])).toThrow();
  kept.hear(`{"token":"${secret}"}`);
  expect(() => kept.check([])).toThrow();
});
