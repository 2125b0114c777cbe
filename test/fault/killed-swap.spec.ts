import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { faultsOf } from '../support/log.js';
import { type SmallShop, startProcess, startSmallShop, untilThere, waitFor } from '../support/small-shop.js';

const expiry = fileURLToPath(new URL('./blocked-expiry.js', import.meta.url));

let shop: SmallShop;
beforeAll(async () => (shop = await startSmallShop({ swap: true })), 60_000);
afterAll(() => shop.stop());

/** The current version as a whole, or undefined before there is one. */
async function current(): Promise<string | undefined> {
  const [there] = await shop.target.sql('shop_dev', `SELECT to_regclass('shop.country') IS NOT NULL AS is`);
  if (!there?.['is']) return undefined;
  const table = (name: string): string => `(SELECT md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM shop.${name} t)`;
  const [row] = await shop.target.sql(
    'shop_dev',
    `SELECT ${table('customer')} || ${table('"order"')} || ${table('country')} || version AS digest FROM bauta.dataset`,
  );
  return String(row?.['digest']);
}

/** What stands there beside the current version: schemas by the state of their record, and sessions and locks of ours. */
async function left(): Promise<{ staging: number; previous: number; others: number; sessions: number; locks: number }> {
  const [row] = await shop.target.sql(
    'shop_dev',
    `WITH n AS (SELECT nspname, (obj_description(oid, 'pg_namespace')::jsonb) ->> 'state' AS state FROM pg_namespace WHERE nspname ~ '^bauta_bauta_')
     SELECT count(*) FILTER (WHERE state = 'staging')::int AS staging, count(*) FILTER (WHERE state = 'previous')::int AS previous,
       (SELECT count(*)::int FROM pg_namespace WHERE nspname ~ '^shop_bauta_') - count(*) FILTER (WHERE state = 'previous')::int AS others,
       (SELECT count(*)::int FROM pg_stat_activity WHERE usename ~ '^bauta_') AS sessions,
       (SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory') AS locks FROM n`,
  );
  return row as Awaited<ReturnType<typeof left>>;
}

const clean = (previous: number): object => ({ staging: 0, previous, others: 0, sessions: 0, locks: 0 });

async function kill(place: string): Promise<void> {
  const { child, ended } = await shop.block(place);
  child.kill('SIGKILL');
  expect((await ended).signal).toBe('SIGKILL');
  // The server notices the end of a client when it next reads from it.
  await waitFor(async () => (await left()).sessions === 0);
}

it.each(['step:schemas.create', 'step:schema.create', 'step:schemas.switch'])(
  'a first run killed at %s publishes nothing, and doctor leaves nothing of it behind',
  async (place) => {
    await kill(place);
    expect(await current()).toBeUndefined();
    const { code, stdout } = await shop.bauta(['doctor', '-f', shop.pipeline, '--fix']);
    expect({ code, stdout }).toMatchObject({ code: 0 });
    expect(await left()).toEqual(clean(0));
    expect(await faultsOf(shop.home)).toEqual({ findings: [], open: [] });
  },
  60_000,
);

it('a first version is published, and told by the commands', async () => {
  const { code, stderr } = await shop.bauta(['run', '-f', shop.pipeline]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect((await shop.bauta(['datasets', '-f', shop.pipeline])).stdout).toMatch(/shop_dev +1 +current +signed +shop_dev \(bauta\)/);
  // Under the names that it is published with, nothing is other than it was under those of staging.
  expect(await shop.bauta(['drift', '-f', shop.pipeline])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^as published/) });
  await shop.target.sql('shop_dev', 'GRANT SELECT ON shop.country TO PUBLIC');
  const drifted = await shop.bauta(['drift', '-f', shop.pipeline]);
  expect(drifted).toMatchObject({ code: 1, stdout: expect.stringMatching(/^drifted: .*\n {2}rights on table shop.country: changed\n$/) });
  await shop.target.sql('shop_dev', 'REVOKE SELECT ON shop.country FROM PUBLIC');
  expect(await left()).toEqual(clean(0));
}, 60_000);

const before = ['moved:20', 'built:4', 'step:owner.change', 'step:marker.write', 'step:schemas.switch'];
const after = ['step:target.release', 'border:done'];

it.each([...before, ...after])(
  'a later run killed at %s leaves the version before it or the whole new one, and the next run clears up',
  async (place) => {
    const old = await current();
    await shop.source.sql('production', `UPDATE shop.country SET title = title || '.'`);
    await kill(place);
    const killed = await current();
    if (before.includes(place)) expect(killed).toBe(old);
    else expect(killed).not.toBe(old);
    const { code, stderr } = await shop.bauta(['run', '-f', shop.pipeline]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(await current()).not.toBe(killed);
    expect(await left()).toEqual(clean(1));
    expect(await faultsOf(shop.home)).toEqual({ findings: [], open: [] });
  },
  60_000,
);

it('rolls back by the command line, to the version before', async () => {
  const newest = await current();
  const { code, stdout } = await shop.bauta(['rollback', '-f', shop.pipeline]);
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('rolled back') });
  expect(await current()).not.toBe(newest);
  expect(await left()).toEqual(clean(1));
}, 60_000);

it.each(['version.close', 'version.drop', 'outcome'])(
  'a version that is withdrawn by a process killed at %s is dropped with its schemas by the next start, and attested',
  async (place) => {
    expect((await shop.bauta(['run', '-f', shop.pipeline])).code).toBe(0);
    const { stdout } = await shop.bauta(['datasets', '-f', shop.pipeline, '--json']);
    const { datasets } = JSON.parse(stdout) as { datasets: { version: number; state: string }[] };
    const version = datasets.find(({ state }) => state === 'current')?.version;
    const started = startProcess([expiry, shop.pipeline, place, String(version)], shop.folder, shop.environment);
    await untilThere(started, place);
    started.child.kill('SIGKILL');
    await started.ended;
    await waitFor(async () => (await left()).sessions === 0);
    expect((await shop.bauta(['doctor', '-f', shop.pipeline, '--fix'])).code).toBe(0);
    expect(await current()).toBeUndefined();
    expect(await faultsOf(shop.home)).toEqual({ findings: [], open: [] });
    expect(shop.events().findLast(({ type }) => type === 'dataset.dropped.completed')?.data['dropped']).toEqual(
      ['shop', 'bauta'].map((name) => expect.objectContaining({ kind: 'schema', name, seen: 'gone' }) as unknown),
    );
    // No later version gets its number.
    expect((await shop.bauta(['expire', '-f', shop.pipeline, '--dry-run'])).stdout).toBe('nothing has expired\n');
    expect((await shop.bauta(['run', '-f', shop.pipeline])).code).toBe(0);
    const after = JSON.parse((await shop.bauta(['datasets', '-f', shop.pipeline, '--json'])).stdout) as unknown;
    expect((after as { datasets: unknown[] }).datasets[0]).toMatchObject({ version: (version ?? 0) + 1, state: 'current' });
  },
  60_000,
);
