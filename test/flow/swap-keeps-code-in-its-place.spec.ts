// The source's schema is somebody else's code. Where versions stand beside each other in one database it must not reach the one that is current.
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { BautaError } from '../../src/kernel/errors.js';
import { digestOf } from '../support/compare.js';
import { type World, requirePublished } from '../support/shop.js';
import { type SwapSample, startSwapSample } from '../support/swap-world.js';

let sample: SwapSample;
let world: World;
const visits = { schema: 'shop', name: 'visit' };
let before: string;
const digest = (): Promise<string> => digestOf(sample.server, 'code_dev', visits, ['page', 'seen_at']);

beforeAll(async () => {
  sample = await startSwapSample();
  world = await sample.swapWorld('code');
  await sample.server.sql(
    'code_dev',
    'CREATE SCHEMA beside AUTHORIZATION bauta_target; CREATE SEQUENCE beside.witness; ALTER SEQUENCE beside.witness OWNER TO bauta_target',
  );
  requirePublished(await world.provision());
  before = await digest();
}, 120_000);
afterAll(() => sample.stop());

/** A check that does something where the copy is built; the names are put together, so that no plan finds them. */
const check = (body: string): string => `
  CREATE OR REPLACE FUNCTION shop.sly() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$ BEGIN
    IF session_user NOT IN ('bauta_target', 'bauta_builder') THEN RETURN true; END IF;
    ${body}
  END $$;
  ALTER TABLE shop.store DROP CONSTRAINT IF EXISTS sly;
  ALTER TABLE shop.store ADD CONSTRAINT sly CHECK (shop.sly())`;

it('a check that deletes the rows of the current version gets 42501, and the run fails with that', async () => {
  await world.source(check(`EXECUTE 'DELETE FROM sho' || 'p.visit'; RETURN true;`));
  const { summary } = await world.provision();
  const failed = summary.findings
    .filter(({ severity }) => severity === 'error')
    .map(({ code, where }) => [code, where.object, where.sqlState]);
  expect([summary.state, failed]).toEqual(['failed', [['DELIVER_OBJECT_FAILED', 'constraint shop.store.sly', '42501']]]);
  expect(await digest()).toBe(before);
  expect(await world.copy(`SELECT nspname FROM pg_namespace WHERE nspname ~ '_bauta_'`)).toEqual([]);
});

it('no other way out is open to it either: not another role, not another name, not another schema', async () => {
  const tries = [
    `EXECUTE 'DELETE FROM sho' || 'p.visit'`,
    `PERFORM set_config('role', 'bauta_' || 'target', true)`,
    `EXECUTE 'ALTER SCHEMA sho' || 'p RENAME TO gone'`,
    `EXECUTE 'CREATE SCHEMA mine'`,
    `EXECUTE 'SELECT count(*) FROM sho' || 'p.visit'`,
    `EXECUTE 'CREATE TABLE beside.mine (a int)'`,
  ];
  const blocks = tries.map((attempt) => `BEGIN ${attempt}; EXCEPTION WHEN insufficient_privilege THEN blocked := blocked + 1; END;`);
  await world.source(check(`DECLARE blocked int := 0; BEGIN ${blocks.join(' ')} RETURN blocked = ${tries.length}; END;`));
  requirePublished(await world.provision());
  // The version that was current meanwhile is the previous one now, with every row.
  const [place] = await world.copy(`SELECT nspname AS name FROM pg_namespace WHERE nspname ~ '^shop_bauta_'`);
  expect(await digestOf(sample.server, 'code_dev', { schema: String(place?.['name']), name: 'visit' }, ['page', 'seen_at'])).toBe(before);
});

it('a predicate that is folded while an empty index is made runs nothing with the rights of the target', async () => {
  await world.source(`${check('RETURN true;')};
    CREATE FUNCTION shop.folded() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN
      PERFORM nextval('beside.witness');
      RETURN true;
    EXCEPTION WHEN OTHERS THEN RETURN true;
    END $$;
    CREATE FUNCTION shop.bound() RETURNS boolean LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT shop.folded(); END;
    CREATE INDEX seen ON shop.visit (page) WHERE shop.folded();
    CREATE INDEX seen_too ON shop.visit (page) WHERE shop.bound()`);
  requirePublished(await world.provision());
  expect(await world.copy('SELECT is_called FROM beside.witness')).toEqual([{ is_called: false }]);
  expect(
    await world.copy(`SELECT indexdef FROM pg_indexes WHERE indexname IN ('seen', 'seen_too') AND schemaname = 'shop' ORDER BY 1`),
  ).toEqual([
    { indexdef: 'CREATE INDEX seen ON shop.visit USING btree (page) WHERE shop.folded()' },
    { indexdef: 'CREATE INDEX seen_too ON shop.visit USING btree (page) WHERE shop.bound()' },
  ]);
});

it('what it leaves to its login for the next time is found before anything is published, and refused from then on', async () => {
  await world.source(check(`EXECUTE 'ALTER ROLE bauta_builder SET work_mem = ''9MB'''; RETURN true;`));
  const { summary, error } = await world.provision();
  expect([summary.state, (error as BautaError).code, (error as BautaError).where.expected]).toEqual([
    'failed',
    'SWAP_BUILDER_REACHES',
    'it has settings of its own',
  ]);
  await world.source(check('RETURN true;'));
  const next = await world.provision();
  expect(next.summary.findings.map(({ code }) => code)).toContain('SWAP_BUILDER_REACHES');
  await sample.server.sql('postgres', 'ALTER ROLE bauta_builder RESET ALL');
  requirePublished(await world.provision());
});
