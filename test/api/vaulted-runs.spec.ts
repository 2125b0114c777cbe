// A column masked by tokens that are kept: looked up and made by whichever worker has the run, the same for all of them, and back for who may.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { parseSettings } from '../../src/config/settings.js';
import { TokenDoors } from '../../src/control/tokens/tokens.js';
import { openKeys } from '../../src/control/open-keys.js';
import type { RunWorker } from '../../src/control/runs/runs.js';
import { openPolicy } from '../../src/systems/opa/opa.js';
import {
  type Answer,
  type ServiceWorld,
  readEverything,
  startErrandWorker,
  startRunWorker,
  startServiceWorld,
} from '../support/service.js';
import { type TinyWorld, bauta, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

const CARDS = 3000;
// Luhn's digit by the server, so that every card number is one; every tenth stands twice.
const cardTable = `CREATE FUNCTION luhn(digits text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT digits || (10 - sum(CASE WHEN (length(digits) - i) % 2 = 0 THEN (2 * d) / 10 + (2 * d) % 10 ELSE d END) % 10) % 10
    FROM (SELECT i, substr(digits, i, 1)::int AS d FROM generate_series(1, length(digits)) i) each $$;
  CREATE TABLE app.card (id int PRIMARY KEY, person_id int NOT NULL REFERENCES app.person, number text, holder_note text);
  INSERT INTO app.card SELECT i, 1 + i % 180, luhn('4' || lpad(((i - (i % 10 = 0)::int) * 7919)::text, 14, '3')), NULL FROM generate_series(1, ${CARDS}) i;
  INSERT INTO app.card VALUES (${CARDS + 1}, 1, NULL, NULL);
  DROP FUNCTION luhn(text);
  ANALYZE`;
const cardClassification = `${classificationText}  app.card:
    columns: { id: pii.key, number: pci.pan, holder_note: pii.free-text }
`;
const override = `overrides:
  - { columns: [app.card.number], transform: token, domain: cards, params: { form: card }, reason: refunds are tried out with the real number }
  - { columns: [app.card.person_id], reason: how many cards each has is what the tests are about }
`;
const why = { environment: 'dev', domain: 'cards', purpose: 'refunds', reason: 'ticket 17: the refund of a customer' };

let tiny: TinyWorld;
let world: ServiceWorld;
let home: string;
let doors: TokenDoors;
let source = '';
let connections: Record<string, string>;
const workers: RunWorker[] = [];
const people: Record<string, string> = {};

beforeAll(async () => {
  tiny = await startTinyWorld();
  home = mkdtempSync(join(tmpdir(), 'bauta-vaulted-'));
  const { open } = await openKeys(home, parseSettings({}));
  doors = new TokenDoors(open, () => openPolicy({ question: 'exchange' }), 20_000);
  world = await startServiceWorld(tiny.server, undefined, {}, { tokens: doors });
  for (const [name, roles] of Object.entries({
    bob: ['policy-admin', 'requester'],
    ann: ['approver'],
    dora: ['detokeniser@dev'],
    otto: ['operator'],
  }))
    people[name] = await world.person(name, roles);
  const [row] = await tiny.server.sql('postgres', 'SELECT system_identifier::text AS id FROM pg_control_system()');
  source = `${String(row?.['id'])}/shop`;
  connections = {
    BAUTA_CONN_SOURCE: await tiny.source('shop', cardTable),
    BAUTA_CONN_A: tiny.target('copy_a'),
    BAUTA_CONN_B: tiny.target('copy_b'),
    BAUTA_CONN_C: tiny.target('copy_c'),
  };
  const environment = `kind: Environment\nname: dev\nowner: team\npurpose: tests\nconnection: env:BAUTA_CONN_A\nclass: dev\nregion: eu-central-1
allows: [pii, pci]\nsameServer: databases of one server in this test\n${domain('')}`;
  await apply([environment, cardClassification, pipeline('a'), pipeline('b')].join('---\n'));
  workers.push(await startRunWorker(world, home, connections), await startRunWorker(world, home, connections));
}, 90_000);
afterAll(async () => {
  for (const worker of workers) await worker.stop();
  await world.stop();
  await doors.close();
  await tiny.stop();
  rmSync(home, { recursive: true, force: true });
});

const domain = (indent: string): string =>
  `${indent}tokens: { cards: { form: card, vaulted: true, reason: refunds have to find the card again, sources: ['${source}'], purposes: [refunds] } }\n`;

function pipeline(letter: 'a' | 'b' | 'c', keys = '', place = 'dev'): string {
  const text = pipelineText
    .replace('environment: dev\n', `environment: ${place}\n${keys === '' ? '' : `  ${keys}\n`}`)
    .replace('name: tiny', `name: tiny-${letter}`)
    .replace('import: [classification.yaml]\n', '')
    .replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE')
    .replace('env:TARGET_URL', `env:BAUTA_CONN_${letter.toUpperCase()}`)
    .replace('allows: [pii]', 'allows: [pii, pci]');
  return text.replace('classification: tiny', `${domain('  ')}classification: tiny`) + override;
}

const ask = (method: string, path: string, who: string, json?: unknown): Promise<Answer> =>
  world.ask(method, path, { token: people[who]!, ...(json === undefined ? {} : { json }) });

/** A source that feeds a domain takes a second person. */
async function apply(text: string): Promise<readonly { readonly what: string }[]> {
  const put = (): Promise<Answer> =>
    world.ask('POST', '/v1/apply', { token: people['bob']!, text, headers: { 'content-type': 'application/yaml' } });
  const first = await put();
  expect([first.status, first.status === 202 ? '' : JSON.stringify(first.body)]).toEqual([202, '']);
  const { body } = await ask('GET', '/v1/approvals?state=waiting', 'ann');
  for (const { id } of body['items'] as { id: string }[])
    expect((await ask('POST', `/v1/approvals/${id}/approve`, 'ann')).status).toBe(200);
  expect((await put()).status).toBe(200);
  return first.body['lowers'] as { what: string }[];
}

async function run(name: string): Promise<Record<string, unknown>> {
  const { status, body } = await ask('POST', '/v1/runs', 'bob', { pipeline: name });
  expect([status, body['code']]).toEqual([201, undefined]);
  for (const startedAt = performance.now(); performance.now() - startedAt < 60_000;) {
    const { body: now } = await ask('GET', `/v1/runs/${String(body['id'])}`, 'bob');
    if (now['endedAt'] !== null) return now;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the run does not end');
}

const cardsOf = async (database: string): Promise<readonly (string | null)[]> =>
  (await tiny.server.sql(database, 'SELECT number FROM app.card ORDER BY id IS NULL, ctid')).map(({ number }) => number as string | null);
/** By the person's masked address, since keys are masked too: card numbers of each. */
const byPerson = async (database: string): Promise<unknown> =>
  tiny.server.sql(
    database,
    'SELECT p.email, array_agg(c.number ORDER BY c.number) AS numbers FROM app.card c JOIN app.person p ON p.id = c.person_id GROUP BY 1 ORDER BY 1',
  );

describe('a card number column masked by tokens that are kept', () => {
  it('gets the same tokens from two workers that meet the same new values, passes the verification, and holds no card number', async () => {
    const runs = await Promise.all([run('tiny-a'), run('tiny-b')]);
    for (const one of runs) expect([one['state'], JSON.stringify(one['summary'])]).toEqual(['published', expect.any(String)]);
    const verdicts = runs.map(({ summary }) => (summary as { verdicts: { column: string; verdict: string }[] }).verdicts);
    for (const some of verdicts) expect(some.find(({ column }) => column === 'number')).toMatchObject({ verdict: 'zero' });
    expect(await byPerson('copy_a')).toEqual(await byPerson('copy_b'));
    const [originals, tokens] = [await cardsOf('shop'), await cardsOf('copy_a')];
    expect([tokens.length, tokens.filter((token) => token === null).length]).toEqual([CARDS + 1, 1]);
    const cards = new Set(originals);
    expect(tokens.filter((token) => token !== null && cards.has(token))).toEqual([]);
    expect(new Set(tokens).size).toBe(cards.size);
    const [kept] = await world.sql(
      'SELECT count(*)::int AS n, count(DISTINCT found_by)::int AS values, min(purpose) AS purpose FROM bauta.token_entry',
    );
    expect(kept).toEqual({ n: cards.size - 1, values: cards.size - 1, purpose: expect.stringMatching(/^run of tiny-[ab]$/) });
  }, 90_000);

  it('comes back exactly for who may, and for nobody else', async () => {
    const tokens = (await cardsOf('copy_a')).filter((token) => token !== null);
    const answer = await ask('POST', '/v1/detokenize/batch', 'dora', { ...why, tokens });
    expect([answer.status, answer.body['code']]).toEqual([200, undefined]);
    const originals = (await cardsOf('shop')).filter((number) => number !== null);
    expect([...(answer.body['values'] as string[])].sort()).toEqual([...originals].sort());
    for (const who of ['bob', 'ann', 'otto'])
      expect([who, (await ask('POST', '/v1/detokenize', who, { ...why, token: tokens[0] })).status]).toEqual([who, 403]);
  }, 30_000);

  it('is told in the log as counts, with run and source, never as a value or a token; and so in the whole metadata database', async () => {
    const told = (await world.told('tokens.exchanged')).filter(({ data }) => data['run'] !== undefined);
    const sum = (name: string): number => told.reduce((total, { data }) => total + Number(data[name]), 0);
    const distinct = new Set(await cardsOf('shop')).size - 1;
    expect([sum('count'), sum('made')]).toEqual([2 * CARDS, distinct]);
    expect(told.every(({ data }) => data['source'] === source && data['domain'] === 'cards' && data['action'] === 'tokenise')).toBe(true);
    const originals = (await cardsOf('shop')).filter((number) => number !== null);
    const rows = (await readEverything((text) => world.sql(text))).join('\n');
    expect(originals.filter((number) => rows.includes(number))).toEqual([]);
    const tokens = (await cardsOf('copy_a')).filter((token) => token !== null);
    const elsewhere = (await world.sql(`SELECT event::text AS text FROM bauta.audit_leaf UNION ALL SELECT event::text FROM bauta.outbox`))
      .map(({ text }) => String(text))
      .join('\n');
    expect(tokens.filter((token) => elsewhere.includes(token))).toEqual([]);
  }, 30_000);

  it('makes nothing anew in the next run: the tokens are those that are kept', async () => {
    const before = await cardsOf('copy_a');
    const [{ n } = {}] = await world.sql('SELECT count(*)::int AS n FROM bauta.token_entry');
    expect((await run('tiny-a'))['state']).toBe('published');
    expect([...(await cardsOf('copy_a'))].sort()).toEqual([...before].sort());
    expect((await world.sql('SELECT count(*)::int AS n FROM bauta.token_entry'))[0]).toEqual({ n });
  }, 60_000);

  it('is shared by an environment that a document joins, tokens too, when a second person agrees; and without that by none', async () => {
    const joined = 'keys: { join: { environment: dev, tokens: true, reason: both are tested as one system } }';
    const place = (keys: string): string =>
      `kind: Environment\nname: twin\nowner: team\npurpose: tests\nconnection: env:BAUTA_CONN_C\nclass: dev\nregion: eu-central-1\nallows: [pii, pci]\n${keys}\n${domain('')}`;
    await apply([place(''), pipeline('c', '', 'twin')].join('---\n'));
    const [{ n } = {}] = await world.sql('SELECT count(*)::int AS n FROM bauta.token_entry');
    expect((await run('tiny-c'))['state']).toBe('published');
    const [before, theirs] = [await cardsOf('copy_c'), new Set(await cardsOf('copy_a'))];
    expect(before.filter((token) => token !== null && theirs.has(token))).toEqual([]);
    const lowered = await apply([place(joined), pipeline('c', joined, 'twin')].join('---\n'));
    expect(lowered.map(({ what }) => what)).toEqual(expect.arrayContaining(['keys-joined', 'tokens-joined']));
    expect((await run('tiny-c'))['state']).toBe('published');
    expect(await byPerson('copy_c')).toEqual(await byPerson('copy_a'));
    // All that was made was made before, for twin alone.
    expect((await world.sql('SELECT count(*)::int AS n FROM bauta.token_entry'))[0]).toEqual({ n: 2 * Number(n) });
    people['tess'] = await world.person('tess', ['detokeniser@twin']);
    const [token] = [...theirs].filter((one) => one !== null);
    const back = await ask('POST', '/v1/detokenize', 'tess', { ...why, environment: 'twin', token });
    expect([back.status, new Set(await cardsOf('shop')).has(String(back.body['value']))]).toEqual([200, true]);
    expect((await ask('POST', '/v1/detokenize', 'tess', { ...why, token })).status).toBe(403);
  }, 90_000);

  it('stands for nothing once the person was erased, by the key that the source has for the person', async () => {
    const { body } = await ask('POST', '/v1/tokens/shred', 'otto', {
      environment: 'dev',
      subject: 'app.person/7',
      reason: 'request of the person',
    });
    const [{ n } = {}] = await tiny.server.sql('shop', 'SELECT count(DISTINCT number)::int AS n FROM app.card WHERE person_id = 7');
    expect(Number(n)).toBeGreaterThan(10);
    expect(Number(body['shredded'])).toBeGreaterThanOrEqual(Number(n) - 4);
  }, 30_000);

  it('stands for nothing once the person was erased from the copies, who are known by their key', async () => {
    const errands = await startErrandWorker(world, home, connections);
    const subject = [{ table: 'app.person', column: 'id', value: '8' }];
    const asked = await ask('POST', '/v1/subjects/erase', 'otto', { pipeline: 'tiny-a', reason: 'request of the person', subject });
    expect(asked.status).toBe(202);
    let ended: Record<string, unknown> = {};
    while (typeof ended['endedAt'] !== 'string') ended = (await ask('GET', `/v1/subjects/erase/${String(asked.body['id'])}`, 'otto')).body;
    await errands.stop();
    const [{ n } = {}] = await tiny.server.sql('shop', 'SELECT count(DISTINCT number)::int AS n FROM app.card WHERE person_id = 8');
    expect([ended['error'], Number((ended['result'] as { shredded: number }).shredded)]).toEqual([null, expect.any(Number)]);
    expect(Number((ended['result'] as { shredded: number }).shredded)).toBeGreaterThanOrEqual(Number(n) - 4);
  }, 30_000);

  it('is refused where a value is none of its form, with the place and not the value', async () => {
    await tiny.server.sql('shop', `UPDATE app.card SET number = '4111111111111112' WHERE id = 77`);
    const { state, summary } = await run('tiny-a');
    expect([state, (summary as { error: { code: string } }).error]).toMatchObject(['failed', { code: 'MASK_VALUE_REFUSED' }]);
    expect(JSON.stringify(summary)).not.toContain('4111111111111112');
    expect(JSON.stringify(summary)).toMatch(/"column":"number"/);
    await tiny.server.sql('shop', `UPDATE app.card SET number = NULL WHERE id = 77`);
  }, 60_000);

  it('is denied to a command line, which has no place where tokens are kept, and says so', async () => {
    const file = tiny.documents({
      'pipeline.yaml': pipeline('a')
        .replace('env:BAUTA_CONN_SOURCE', 'env:SOURCE_URL')
        .replace('env:BAUTA_CONN_A', 'env:TARGET_URL')
        .replace('classification: tiny', 'import: [classification.yaml]\nclassification: tiny'),
      'classification.yaml': cardClassification,
    });
    const env = { SOURCE_URL: connections['BAUTA_CONN_SOURCE']!, TARGET_URL: tiny.target('copy_d'), BAUTA_HOME: home };
    const said = await bauta(['run', '-f', file], { env });
    expect([said.exitCode, said.stderr]).toEqual([2, expect.stringContaining('TOKEN_DOMAIN_VAULTED')]);
    expect(said.stderr).toContain('let a worker of the service run the pipeline');
  }, 30_000);
});
