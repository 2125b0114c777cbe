// Somebody writes into a published copy: which tables differ is found without the source, and what can be no fake is counted.
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';

import { systemClock } from '../../src/kernel/clock.js';
import { type DataDrift, lookForDataDrift } from '../../src/pipeline/data-drift.js';
import { DatasetReader } from '../../src/systems/postgres/postgres.js';
import { type TargetWorld, logSigner, stage, startTargetWorld, toPlan } from '../support/target-world.js';

let world: TargetWorld;
beforeAll(async () => (world = await startTargetWorld()), 60_000);
afterAll(() => world.server.stop());
beforeEach(async () => {
  const target = world.target('shop_dev');
  await (await stage(target, toPlan())).publish();
  await target.close();
});

async function look(): Promise<DataDrift> {
  const reader = await DatasetReader.open({ name: 'copy', url: world.url('shop_dev') });
  try {
    return await lookForDataDrift(reader, { verifiers: [logSigner.verifier], clock: systemClock });
  } finally {
    await reader.close();
  }
}
const sql = (text: string): Promise<unknown> => world.server.sql('shop_dev', text);

it('is as published where nobody wrote', async () => {
  expect(await look()).toMatchObject({ state: 'as published', tables: [], why: null });
});

it('finds a raw row that somebody loaded, says in which table, and counts what can be no fake; the value stands nowhere', async () => {
  await sql(`INSERT INTO person (email, note) VALUES ('ada.lovelace@acme-industries.com', 'card 4929 1234 5678 9015, IBAN DE89 3704 0044 0532 0130 00'),
    ('a@example.com', 'card 4111 1111 1111 1111')`);
  const seen = await look();
  expect(seen).toMatchObject({
    state: 'drifted',
    tables: [{ schema: 'public', table: 'person', state: 'rows differ', rows: 5, published: 3 }],
  });
  expect(seen.tables[0]?.raw.filter(({ column }) => column === 'email')).toEqual([{ column: 'email', kind: 'email', values: 1 }]);
  expect(seen.tables[0]?.raw).toContainEqual({ column: 'note', kind: 'iban', values: 1 });
  expect(JSON.stringify(seen)).not.toMatch(/lovelace|4929|3704/);
});

it('finds an update that keeps the number of rows, and reads no other table for it', async () => {
  await sql(`UPDATE "Sales Dept"."order" SET person_id = 2 WHERE id = 10`);
  expect(await look()).toMatchObject({
    state: 'drifted',
    tables: [{ schema: 'Sales Dept', table: 'order', state: 'content differs', rows: 2, published: 2, raw: [] }],
  });
});

it('finds a column and a table that were not published, and what was loaded there', async () => {
  await sql(`ALTER TABLE person ADD COLUMN contact text; UPDATE person SET contact = 'someone@acme-industries.com' WHERE id = 1;
    CREATE TABLE dump AS SELECT '219-09-9999'::text AS ssn`);
  const { tables } = await look();
  expect(tables.find(({ table }) => table === 'person')).toMatchObject({
    state: 'columns differ',
    raw: expect.arrayContaining([{ column: 'contact', kind: 'email', values: 1 }]),
  });
  expect(tables.find(({ table }) => table === 'dump')).toMatchObject({ state: 'unknown' });
});

it('does not know what has no marker of a log that is known here', async () => {
  await sql('DROP SCHEMA bauta CASCADE');
  expect(await look()).toMatchObject({ state: 'unknown', why: 'it has no marker' });
  await world.server.sql('postgres', 'DROP DATABASE shop_dev WITH (FORCE)');
});
