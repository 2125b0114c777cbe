// A card number column masked by token: verified like any other, published, and back exactly for who holds the key of the hierarchy `token`.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { parseSettings } from '../../src/config/settings.js';
import { openKeys } from '../../src/control/open-keys.js';
import { toExchange, toKeyLabel, toTokenParams } from '../../src/pipeline/mask/mask.js';
import { eventsOf } from '../support/log.js';
import { type PlanWorld, startPlanWorld, toSaid } from '../support/planned.js';

let world: PlanWorld;
let system: string;
beforeAll(async () => {
  world = await startPlanWorld();
  const [row] = await world.server.sql('postgres', 'SELECT system_identifier::text AS id FROM pg_control_system()');
  system = String(row?.['id']);
}, 60_000);
afterAll(() => world.stop());

// Luhn's digit by the server, so that every card number is one.
const sql = `CREATE FUNCTION luhn(digits text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT digits || (10 - sum(CASE WHEN (length(digits) - i) % 2 = 0 THEN (2 * d) / 10 + (2 * d) % 10 ELSE d END) % 10) % 10
    FROM (SELECT i, substr(digits, i, 1)::int AS d FROM generate_series(1, length(digits)) i) each $$;
  CREATE TABLE card (id int PRIMARY KEY, number text UNIQUE, note text);
  INSERT INTO card SELECT i, luhn('4' || lpad((i * 7919)::text, 14, '3')), 'no card here' FROM generate_series(1, 2000) i;
  UPDATE card SET number = regexp_replace(number, '(....)(?=.)', '\\1 ', 'g') WHERE id % 3 = 0;
  INSERT INTO card VALUES (2001, NULL, NULL);
  DROP FUNCTION luhn(text);
  ANALYZE`;
const tables = '{ card: { person: true, columns: { id: pii.key, number: pci.pan, note: pii.free-text } } }';
const pipeline =
  'overrides:\n  - { columns: [public.card.number], transform: token, domain: cards, params: { form: card }, reason: refunds are tried out with the real number }';
const named = (more: string): string => `tokens: { cards: { form: card, reason: refunds have to find the card again, ${more} } }`;

/** The exchange of the domain, as who may has it. */
async function exchangeOf(version: number): Promise<ReturnType<typeof toExchange>> {
  const keys = (await openKeys(world.home, parseSettings({}))).open({ purpose: 'token', workspace: 'default', environment: 'dev' });
  const key = await keys.derive(toKeyLabel({ workspace: 'default', environment: 'dev' }, 'cards', 'token'), version);
  return toExchange(key, 'cards', toTokenParams({ form: 'card', reason: 'a test', sources: [] }));
}

describe('a card number column masked by token', () => {
  it('passes the verification, holds no card number, and comes back exactly under its key', async () => {
    const database = 'planned_1';
    const { summary, copy, source } = await world.run({
      sql,
      tables,
      pipeline,
      target: named(`sources: ['${system}/${database}']`),
    });
    expect([summary.state, summary.findings.filter(({ severity }) => severity === 'error')]).toEqual(['published', []]);
    const verdict = summary.verdicts.find((one) => (one as { column?: string }).column === 'number');
    expect(verdict).toMatchObject({ column: 'number', verdict: 'zero' });
    const tokens = (await copy('SELECT number FROM card WHERE number IS NOT NULL')).map(({ number }) => String(number));
    const cards = (await source('SELECT number FROM card WHERE number IS NOT NULL')).map(({ number }) => String(number));
    expect(tokens.length).toBe(2000);
    expect(tokens.filter((token) => cards.includes(token))).toEqual([]);
    const exchange = await exchangeOf(1);
    expect([...exchange.toValues(tokens)].sort()).toEqual([...cards].sort());
    expect(exchange.toTokens(cards.slice(0, 5)).every((token) => tokens.includes(token))).toBe(true);
    // Whoever has all of the copy has the tokens, and nothing that leads back.
    const keys = (await openKeys(world.home, parseSettings({}))).open({ purpose: 'token', workspace: 'default', environment: 'dev' });
    const key = Buffer.from(await keys.derive(toKeyLabel({ workspace: 'default', environment: 'dev' }, 'cards', 'token'), 1));
    const everything = JSON.stringify(
      await copy(`SELECT query_to_xml('SELECT * FROM card', true, false, '')::text AS rows,
      (SELECT string_agg(t::text, E'\\n') FROM pg_shdescription t) AS comments, (SELECT string_agg(t::text, E'\\n') FROM pg_description t) AS more,
      (SELECT string_agg(schemaname || tablename, ' ') FROM pg_tables WHERE schemaname <> 'pg_catalog') AS tables,
      (SELECT string_agg(s::text, ' ') FROM pg_db_role_setting s) AS settings`),
    );
    for (const secret of [key.toString('hex'), key.toString('base64'), ...cards.slice(0, 200)]) expect(everything).not.toContain(secret);
    expect(everything).toContain(tokens[0]);
    const recorded = eventsOf(world.home).filter(({ type }) => type === 'key.recorded');
    expect(recorded.map(({ data }) => data['purpose']).sort()).toEqual(['masking', 'token']);
  }, 60_000);

  it('has other tokens in another environment, and the same in one that a document joins, tokens too', async () => {
    const some = { sql: sql.replace('2000', '200').replaceAll('2001', '201'), tables, pipeline };
    const tokensOf = async (environment: string, count: number, more = ''): Promise<string[]> => {
      const target = `${named(`sources: ['${system}/planned_${count}']`)}${more}`;
      const { summary, copy } = await world.run({ ...some, environment, target });
      expect([environment, summary.state]).toEqual([environment, 'published']);
      return (await copy('SELECT number FROM card WHERE number IS NOT NULL ORDER BY 1')).map(({ number }) => String(number));
    };
    const join = (tokens: string): string => `, keys: { join: { environment: dev, reason: both are tested as one system${tokens} } }`;
    const dev = await tokensOf('dev', 2);
    const shared = (some: string[]): number => some.filter((one) => dev.includes(one)).length;
    expect(shared(await tokensOf('ci', 3))).toBe(0);
    // Joined keys alone join what nobody can exchange back.
    expect(shared(await tokensOf('half', 4, join('')))).toBe(0);
    expect(await tokensOf('twin', 5, join(', tokens: true'))).toEqual(dev);
    const used = eventsOf(world.home).filter(({ type }) => type === 'dataset.published.done');
    expect(used.map(({ data }) => (data['tokenKey'] as { environment: string }).environment)).toEqual(['dev', 'dev', 'ci', 'half', 'dev']);
  }, 90_000);

  it('is refused where the target names no domain, another source, another form, or a form that card numbers have', async () => {
    const reasons = async (planned: { target?: string; pipeline?: string }): Promise<(string | undefined)[]> => {
      const prepared = await world.plan({ sql, tables, pipeline, ...planned });
      expect(toSaid(prepared).filter((said) => said.startsWith('error'))).toEqual([]);
      return prepared.decision?.reasons.map(({ code }) => code) ?? [];
    };
    expect(await reasons({})).toEqual(['REVERSIBLE_NOT_ALLOWED']);
    expect(await reasons({ target: named("sources: ['1/guesses']") })).toEqual(['TOKEN_SOURCE_NOT_NAMED']);
    expect(await reasons({ target: named(`testPrefix: '999', sources: ['${system}/planned_8']`) })).toEqual(['TOKEN_FORM_DIFFERS']);
    const digits = pipeline.replace('form: card', 'form: digits');
    const target = named(`sources: ['${system}/planned_9']`).replace('form: card', 'form: digits');
    expect(await reasons({ pipeline: digits, target })).toEqual(['PAN_TOKEN_LOOKS_LIVE']);
  }, 60_000);
});
