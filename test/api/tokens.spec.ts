// Values for tokens and back at the service: who may, for what, how much, and what the log has of it. Keys in files, and the policy as it ships.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { TokenDoors } from '../../src/control/tokens/tokens.js';
import { parseSettings } from '../../src/config/settings.js';
import { openKeys } from '../../src/control/open-keys.js';
import { toExchange, toKeyLabel, toTokenParams } from '../../src/pipeline/mask/mask.js';
import type { KeyProvider, OpenKeys } from '../../src/pipeline/ports.js';
import { openPolicy } from '../../src/systems/opa/opa.js';
import { type Answer, type ServiceWorld, readEverything, startServiceWorld } from '../support/service.js';

const environment = {
  ...{ kind: 'Environment', name: 'dev', owner: 'team-shop', purpose: 'tests of the shop', connection: 'env:BAUTA_CONN_DEV', class: 'dev' },
  allows: ['pii', 'pci'],
  tokens: {
    cards: { form: 'card', reason: 'refunds have to find the card again', sources: ['7300000000000000001/shop'], purposes: ['refunds'] },
    members: {
      ...{ form: 'digits', vaulted: true, reason: 'support has to find the member again', sources: [], purposes: ['support', 'refunds'] },
      prefix: 'M-',
    },
    over: { form: 'digits', reason: 'it was needed once', expires: '2020-01-01', sources: [], purposes: ['refunds'] },
    silent: { form: 'digits', reason: 'only runs make them', sources: [] },
  },
};
const cards = ['4111 1111 1111 1111', '5555555555554444', '378282246310005'];
const why = { environment: 'dev', domain: 'cards', purpose: 'refunds', reason: 'ticket 17: the refund of a customer' };

let world: ServiceWorld;
let home: string;
let doors: TokenDoors;
let open: OpenKeys;
const people: Record<string, string> = {};
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'bauta-tokens-'));
  ({ open } = await openKeys(home, parseSettings({})));
  doors = new TokenDoors(open, () => openPolicy({ question: 'exchange' }), 2000);
  world = await startServiceWorld(undefined, undefined, {}, { tokens: doors });
  const roles = { admin: ['policy-admin'], approver: ['approver'], dora: ['detokeniser@dev', 'viewer'], otto: ['operator'] };
  for (const [name, some] of Object.entries(roles)) people[name] = await world.person(name, some);
  people['elsewhere'] = await world.person('elsewhere', ['detokeniser@staging']);
  people['quick'] = await world.person('quick', ['detokeniser']);
  people['slow'] = await world.person('slow', ['detokeniser']);
  people['foreigner'] = await world.person('foreigner', ['detokeniser'], 'foreign');
}, 60_000);
afterAll(async () => {
  await world.stop();
  await doors.close();
  rmSync(home, { recursive: true, force: true });
});

const ask = (path: string, json: unknown, who = 'dora'): Promise<Answer> =>
  world.ask('POST', `/v1/${path}`, { token: people[who] ?? '', json });
const tokenKeys = (): KeyProvider => open({ purpose: 'token', workspace: 'default', environment: 'dev' });

/** The last event of exchanges, without what differs from time to time. */
async function last(): Promise<Record<string, unknown>> {
  const event = (await world.told('tokens.exchanged', 'tokens.refused')).at(-1);
  const { type, data = {} } = event ?? {};
  return { type, ...data, policy: undefined, reason: undefined };
}

async function refusal(path: string, json: unknown, who?: string): Promise<[number, unknown, unknown]> {
  const before = (await world.told('tokens.refused')).length;
  const { status, body } = await ask(path, json, who);
  expect((await world.told('tokens.refused')).length).toBe(before + 1);
  return [status, body['code'], (await last())['codes']];
}

describe('a domain of tokens', () => {
  it('takes a second person, since who feeds it can reverse a copy by guessing', async () => {
    const waiting = await world.ask('POST', '/v1/apply', { token: people['admin'] ?? '', json: environment });
    expect([waiting.status, JSON.stringify(waiting.body)]).toEqual([202, expect.stringContaining('token-source-added')]);
    const { body } = await world.ask('GET', '/v1/approvals?state=waiting', { token: people['approver'] ?? '' });
    const [approval] = body['items'] as { id: string }[];
    const approved = await world.ask('POST', `/v1/approvals/${approval?.id}/approve`, { token: people['approver'] ?? '' });
    expect(approved.status).toBe(200);
    const applied = await world.ask('POST', '/v1/apply', { token: people['admin'] ?? '', json: environment });
    expect([200, 201]).toContain(applied.status);
    expect((await world.ask('GET', '/v1/environments/dev', { token: people['dora'] ?? '' })).status).toBe(200);
  });
});

describe('values', () => {
  it('become the tokens that a run makes of them, and come back', async () => {
    const made = await ask('tokens/batch', { ...why, values: cards });
    expect(made.status).toBe(200);
    const key = await tokenKeys().derive(toKeyLabel({ workspace: 'default', environment: 'dev' }, 'cards', 'token'), 1);
    const tokens = toExchange(key, 'cards', toTokenParams({ form: 'card', reason: '', sources: [] })).toTokens(cards);
    expect(made.body).toEqual({ tokens, keyVersion: 1 });
    const back = await ask('detokenize/batch', { ...why, tokens });
    expect(back.body).toEqual({ values: cards, keyVersion: 1 });
    expect((await ask('tokens', { ...why, value: cards[0] })).body).toEqual({ token: tokens[0], keyVersion: 1 });
    expect((await ask('detokenize', { ...why, token: tokens[1] })).body).toEqual({ value: cards[1], keyVersion: 1 });
    expect(await last()).toEqual({
      ...{
        type: 'tokens.exchanged',
        action: 'detokenise',
        environment: 'dev',
        domain: 'cards',
        purpose: 'refunds',
        count: 1,
        keyVersion: 1,
      },
    });
  });

  it('are told in the log as counts, with who, why by a commitment, and by which policy; never as values or tokens', async () => {
    const events = await world.told('tokens.exchanged');
    const [first] = events;
    expect(first?.data).toMatchObject({
      count: 3,
      reason: { committed: expect.stringMatching(/^sha256:/) },
      policy: { digest: expect.any(String) },
    });
    expect(first?.actor).toBeDefined();
    const { body } = await ask('tokens/batch', { ...why, values: cards });
    const rows = (await readEverything((text) => world.sql(text))).join('\n');
    for (const text of [...cards, ...(body['tokens'] as string[])]) expect([text, rows.includes(text)]).toEqual([text, false]);
  });
});

describe('a refusal', () => {
  const token = '3810246922958374';

  it('is in the log with its reasons, whatever it is', async () => {
    expect(await refusal('detokenize', { ...why, purpose: 'curiosity', token })).toEqual([
      403,
      'EXCHANGE_DENIED',
      ['EXCHANGE_PURPOSE_NOT_NAMED'],
    ]);
    expect(await refusal('detokenize', { ...why, reason: 'because', token })).toEqual([
      403,
      'EXCHANGE_DENIED',
      ['EXCHANGE_REASON_MISSING'],
    ]);
    expect(await refusal('tokens', { ...why, domain: 'nothing', value: '1234567' })).toEqual([
      ...[403, 'EXCHANGE_DENIED', ['EXCHANGE_DOMAIN_NOT_ALLOWED', 'EXCHANGE_PURPOSE_NOT_NAMED']],
    ]);
    expect(await refusal('tokens', { ...why, domain: 'over', value: '1234567' })).toEqual([
      403,
      'EXCHANGE_DENIED',
      ['EXCHANGE_DOMAIN_NOT_ALLOWED'],
    ]);
    expect(await refusal('tokens', { ...why, domain: 'silent', value: '1234567' })).toEqual([
      403,
      'EXCHANGE_DENIED',
      ['EXCHANGE_PURPOSE_NOT_NAMED'],
    ]);
    expect(await refusal('tokens/batch', { ...why, values: [] })).toEqual([403, 'EXCHANGE_DENIED', ['EXCHANGE_TOO_MANY']]);
    const many = Array.from({ length: 10_001 }, () => '4111111111111111');
    expect(await refusal('tokens/batch', { ...why, values: many }, 'slow')).toEqual([403, 'EXCHANGE_DENIED', ['EXCHANGE_TOO_MANY']]);
    expect(await refusal('tokens/batch', { ...why, values: ['4111111111111111', '4111111111111112'] }, 'quick')).toEqual([
      ...[422, 'TOKEN_VALUE_REFUSED', ['TOKEN_VALUE_REFUSED']],
    ]);
    expect(await refusal('detokenize', { ...why, token: '4111111111111111' }, 'quick')).toEqual([
      422,
      'TOKEN_VALUE_REFUSED',
      ['TOKEN_VALUE_REFUSED'],
    ]);
    expect(await refusal('detokenize', { ...why, keyVersion: 7, token }, 'quick')).toEqual([
      422,
      'KEY_VERSION_MISSING',
      ['KEY_VERSION_MISSING'],
    ]);
  });

  it('names nothing that the caller made up', async () => {
    await ask('tokens', { ...why, environment: '4111111111111111', domain: '5555555555554444', value: '1234567' }, 'quick');
    expect(await last()).toMatchObject({ type: 'tokens.refused', environment: null, domain: null, purpose: null });
    const said = await world.told('tokens.refused');
    expect(JSON.stringify(said)).not.toMatch(/4111111111111111|5555555555554444|curiosity/);
  });

  it('is for everybody who has not the right here: another role, another environment, another workspace', async () => {
    for (const who of ['admin', 'approver', 'otto', 'elsewhere'])
      expect([who, (await ask('detokenize', { ...why, token }, who)).body['code']]).toEqual([who, 'ACCESS_DENIED']);
    expect((await world.told('access.denied')).length).toBeGreaterThanOrEqual(4);
    expect((await ask('detokenize', { ...why, token }, 'foreigner')).body['code']).toBe('EXCHANGE_DENIED');
  });

  it('comes when one person has exchanged too much, with the time to wait, and is in the log as well', async () => {
    const eager = await world.person('eager', ['detokeniser']);
    people['eager'] = eager;
    const values = Array.from({ length: 9000 }, () => '4111111111111111');
    const answers: Answer[] = [];
    for (let i = 0; i < 2; i++) answers.push(await ask('tokens/batch', { ...why, values }, 'eager'));
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.body['code']).toBe('TOKEN_RATE_EXCEEDED');
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await world.told('tokens.refused')).some(({ data }) => JSON.stringify(data['codes']) === '["TOKEN_RATE_EXCEEDED"]')).toBe(true);
    // Who asks for guesses is held back as who asks for values is.
    expect((await ask('detokenize', { ...why, token }, 'eager')).status).toBe(429);
    expect((await ask('tokens', { ...why, value: '4111111111111111' })).status).toBe(200);
  }, 30_000);
});

describe('a test environment', () => {
  const token = '3810246922958374';

  it('has no way to reverse anything: not without a key, not with the roles that its people have, not with its logins', async () => {
    for (const path of ['tokens', 'tokens/batch', 'tokens/shred', 'detokenize', 'detokenize/batch'])
      expect([path, (await world.ask('POST', `/v1/${path}`, { json: { ...why, token } })).status]).toEqual([path, 401]);
    for (const role of ['viewer@dev', 'requester@dev', 'operator@dev', 'approver@dev']) {
      people[role] = await world.person(role.replace('@', '-'), [role]);
      for (const [path, body] of [
        ['tokens', { value: '4111111111111111' }],
        ['detokenize', { token }],
      ] as const)
        expect([role, path, (await ask(path, { ...why, ...body }, role)).body['code']]).toEqual([role, path, 'ACCESS_DENIED']);
    }
    // A login as a copy's readers and writers have it, even where it stands on the server of the metadata.
    await world.sql(`CREATE ROLE shop_dev_rw LOGIN PASSWORD 'of a test'`);
    const login = new pg.Client({ connectionString: world.server.url('metadata').replace(/\/\/[^@]*@/, '//shop_dev_rw:of%20a%20test@') });
    const read = async (): Promise<unknown> => {
      await login.connect();
      return login.query('SELECT * FROM bauta.token_entry');
    };
    await expect(read()).rejects.toMatchObject({ code: '42501' });
    await login.end().catch(() => undefined);
  });
});

describe('tokens that are kept', () => {
  const kept = { ...why, domain: 'members', purpose: 'support' };
  const values = ['M-123456', 'M-1234-5678', 'M-999999', 'M-123456'];

  it('have the form of their value and follow from nothing; the same value has the same one, and each comes back', async () => {
    const { body, status } = await ask('tokens/batch', { ...kept, values, subjects: ['ada', 'ada', 'bob', 'ada'] });
    expect([status, body['code'], body['keyVersion']]).toEqual([200, undefined, null]);
    const tokens = body['tokens'] as string[];
    expect(tokens.map((token) => token.replace(/\d/g, '#'))).toEqual(['M-######', 'M-####-####', 'M-######', 'M-######']);
    expect([tokens[0] === tokens[3], new Set(tokens).size]).toEqual([true, 3]);
    expect((await ask('tokens/batch', { ...kept, values })).body['tokens']).toEqual(tokens);
    expect((await ask('detokenize/batch', { ...kept, tokens })).body).toEqual({ values, keyVersion: null });
    expect((await ask('detokenize', { ...kept, token: 'M-000000' })).body['code']).toBe('TOKEN_UNKNOWN');
    const rows = (await readEverything((text) => world.sql(text))).join('\n');
    for (const value of [...values, 'ada-lovelace']) expect([value, rows.includes(value)]).toEqual([value, false]);
  });

  it('are given once, by whoever asks first, also when many ask at the same time', async () => {
    const asked = Array.from({ length: 40 }, (_, i) => `M-${700_000 + i}`);
    const answers = await Promise.all([asked, [...asked].reverse(), asked].map((some) => ask('tokens/batch', { ...kept, values: some })));
    const maps = answers.map(
      ({ body }, i) => new Map((i === 1 ? [...asked].reverse() : asked).map((value, k) => [value, (body['tokens'] as string[])[k]])),
    );
    for (const value of asked) expect(new Set(maps.map((map) => map.get(value))).size).toBe(1);
  });

  it('stand for nothing once their subject was shredded, and their token is never given again', async () => {
    const { body } = await ask('tokens/batch', { ...kept, values: ['M-123456', 'M-999999'] });
    const [ada = '', bob = ''] = body['tokens'] as string[];
    expect((await ask('tokens/shred', { environment: 'dev', subject: 'ada', reason: 'request of the person' })).status).toBe(403);
    const shredded = await ask('tokens/shred', { environment: 'dev', subject: 'ada', reason: 'request of the person' }, 'otto');
    expect(shredded.body).toEqual({ shredded: 2 });
    expect((await world.told('tokens.shredded')).at(-1)?.data).toMatchObject({ environment: 'dev', count: 2 });
    expect(await refusal('detokenize', { ...kept, token: ada })).toEqual([410, 'TOKEN_SHREDDED', ['TOKEN_SHREDDED']]);
    expect((await ask('detokenize', { ...kept, token: bob })).body['value']).toBe('M-999999');
    const anew = await ask('tokens', { ...kept, value: 'M-123456' });
    expect(anew.body['token']).not.toBe(ada);
    expect((await world.sql(`SELECT count(*)::int AS n FROM bauta.token_entry WHERE token = '${ada}'`))[0]).toEqual({ n: 1 });
  });

  it('do not open in the place of another', async () => {
    const { body } = await ask('tokens/batch', { ...kept, values: ['M-222222', 'M-333333'] });
    const [one = '', other = ''] = body['tokens'] as string[];
    await world.sql(
      `UPDATE bauta.token_entry SET sealed = (SELECT sealed FROM bauta.token_entry WHERE token = '${other}') WHERE token = '${one}'`,
    );
    expect((await ask('detokenize', { ...kept, token: one })).status).toBe(500);
  });

  it('of another workspace are not there', async () => {
    const [row] = await world.sql('SELECT count(*)::int AS n FROM bauta.token_entry');
    expect(Number(row?.['n'])).toBeGreaterThan(0);
    const seen = await world.metadata.within(world.workspaces.foreign, ({ tokenEntries }) => tokenEntries.domains('dev'));
    expect(seen).toEqual([]);
  });
});

// Last: versions come and go here.
describe('key versions', () => {
  it('keep what was made under them: the caller names the version, and a guess is refused', async () => {
    const kept = { ...why, domain: 'members', purpose: 'support' };
    const { body: first } = await ask('tokens', { ...why, value: '4111111111111111' });
    const { body: member } = await ask('tokens', { ...kept, value: 'M-444444', subject: 'cleo' });
    expect(await tokenKeys().rotate()).toBe(2);
    const { body: second } = await ask('tokens', { ...why, value: '4111111111111111' });
    expect([first['keyVersion'], second['keyVersion'], first['token'] === second['token']]).toEqual([1, 2, false]);
    expect(await refusal('detokenize', { ...why, token: first['token'] })).toEqual([
      422,
      'TOKEN_VERSION_AMBIGUOUS',
      ['TOKEN_VERSION_AMBIGUOUS'],
    ]);
    for (const [made, keyVersion] of [
      [first, 1],
      [second, 2],
    ] as const)
      expect((await ask('detokenize', { ...why, keyVersion, token: made['token'] })).body).toEqual({
        value: '4111111111111111',
        keyVersion,
      });
    // What is kept knows its own, and a value that has a token keeps it.
    expect((await ask('tokens', { ...kept, value: 'M-444444' })).body['token']).toBe(member['token']);
    expect((await ask('detokenize', { ...kept, token: member['token'] })).body['value']).toBe('M-444444');
    await tokenKeys().destroyUpTo(1);
    expect(await refusal('detokenize', { ...why, keyVersion: 1, token: first['token'] })).toEqual([
      410,
      'KEY_VERSION_DESTROYED',
      ['KEY_VERSION_DESTROYED'],
    ]);
    expect(await refusal('detokenize', { ...kept, token: member['token'] })).toEqual([
      410,
      'KEY_VERSION_DESTROYED',
      ['KEY_VERSION_DESTROYED'],
    ]);
    expect((await ask('detokenize', { ...why, keyVersion: 2, token: second['token'] })).body['value']).toBe('4111111111111111');
    expect((await ask('tokens', { ...kept, value: 'M-444444' })).body['token']).not.toBe(member['token']);
  });
});
