// The source's schema is somebody else's code. On the target it runs as a role that was made for the run and can be nothing else.
import { afterAll, beforeAll, expect, it } from '@jest/globals';

import type { BautaError } from '../../src/kernel/errors.js';
import { type Sample, startSample } from '../support/shop.js';

let sample: Sample;
beforeAll(async () => {
  sample = await startSample();
}, 120_000);
afterAll(() => sample.stop());

/** Tries to be the provisioning role again and to make a role that says who did it. */
const hostile = `CREATE FUNCTION shop.escape() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
  BEGIN
    PERFORM pg_catalog.set_config('role', 'none', true);
    EXECUTE 'CREATE ROLE evil_' || session_user;
    RETURN true;
  EXCEPTION WHEN insufficient_privilege OR duplicate_object OR read_only_sql_transaction THEN RETURN true;
  END $$;`;

const evil = (): Promise<Record<string, unknown>[]> =>
  sample.server.sql('postgres', `SELECT rolname FROM pg_roles WHERE rolname LIKE 'evil%' AND rolname <> 'evil_postgres'`);

it('cannot become the provisioning role from a check constraint or a domain', async () => {
  const world = await sample.world('escape');
  await world.source(`${hostile}
    ALTER TABLE shop.store ADD CONSTRAINT harmless CHECK (shop.escape());
    CREATE DOMAIN shop.quiet AS text CHECK (shop.escape());
    ALTER TABLE shop.product ADD COLUMN remark shop.quiet;
    UPDATE shop.product SET remark = 'x'`);
  world.edit('classification.yaml', 'columns: [sku,', 'columns: [remark, sku,');
  const { summary } = await world.provision();
  expect([summary.state, summary.findings.filter(({ severity }) => severity === 'error')]).toEqual(['published', []]);
  expect(await evil()).toEqual([]);
  // The run's own role is gone with the run: there is no login left behind.
  expect(
    await sample.server.sql(
      'postgres',
      `SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname LIKE '%\\_bauta\\_%' AND rolname NOT IN ('bauta_source', 'bauta_target')`,
    ),
  ).toEqual([]);
});

// An index's condition is folded whenever a query on its table is planned: while it is built, and while the verifier reads.
it('cannot become the provisioning role from what the planner folds', async () => {
  const world = await sample.world('folded');
  // What is called from a function that may not write is one that may.
  await world.source(`${hostile}
    CREATE FUNCTION shop.folded() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM shop.escape(); RETURN true; END $$;
    CREATE INDEX folded ON shop.visit (page) WHERE shop.folded()`);
  const { summary } = await world.provision();
  expect([summary.state, summary.findings.filter(({ severity }) => severity === 'error')]).toEqual(['published', []]);
  expect(await world.copy(`SELECT count(*)::int AS n FROM pg_indexes WHERE indexname = 'folded'`)).toEqual([{ n: 1 }]);
  expect(await evil()).toEqual([]);
});

it('cannot become the provisioning role from an after file', async () => {
  const world = await sample.world('after');
  world.write('after.sql', 'RESET ROLE; CREATE ROLE evil_after;');
  world.edit('pipeline.yaml', 'overrides:', 'after: [after.sql]\noverrides:');
  const { summary, error } = await world.provision();
  expect([summary.state, (error as BautaError).code, (error as BautaError).where.sqlState]).toEqual([
    'failed',
    'DELIVER_AFTER_FAILED',
    '42501',
  ]);
  expect(await evil()).toEqual([]);
});
