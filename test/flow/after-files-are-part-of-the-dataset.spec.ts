import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { type Sample, requirePublished, startSample, type World } from '../support/shop.js';

let sample: Sample;
beforeAll(async () => {
  sample = await startSample({ small: true });
}, 120_000);
afterAll(() => sample.stop());

const accounts = `INSERT INTO shop.customer (email, first_name, last_name, country) VALUES ('tester@example.com', 'Test', 'Account', 'FR');
INSERT INTO shop."user" SELECT 'sandbox', 1, 'tester', id FROM shop.customer WHERE email = 'tester@example.com';
CREATE TABLE shop.sandbox (name text PRIMARY KEY);
`;

async function worldWith(name: string, sql: string): Promise<World> {
  const world = await sample.world(name);
  world.write('accounts.sql', sql);
  world.edit('pipeline.yaml', 'retentionDays: 30', 'retentionDays: 30\nafter: [accounts.sql]');
  return world;
}

it('publishes what the files inserted together with the load, owned as the rest, and tells which tables they changed', async () => {
  const world = await worldWith('accounts', accounts);
  const plain = await sample.world('plain');
  const loaded = requirePublished(await plain.provision());
  const summary = requirePublished(await world.provision());
  const count = 'SELECT count(*)::int AS n FROM shop.customer';
  const [before] = await plain.copy(count);
  expect(await world.copy(count)).toEqual([{ n: Number(before?.['n']) + 1 }]);
  expect(
    await world.copy(
      `SELECT u.username, c.display_name FROM shop."user" u JOIN shop.customer c ON c.id = u.customer_id WHERE "group" = 'sandbox'`,
    ),
  ).toEqual([{ username: 'tester', display_name: 'Test Account' }]);
  expect(await world.copy(`SELECT tableowner FROM pg_tables WHERE tablename = 'sandbox'`)).toEqual([{ tableowner: 'accounts_dev_owner' }]);
  const changed = summary.findings.filter(({ code }) => code === 'VERIFY_AFTER_CHANGED');
  expect(changed.map(({ severity, where }) => [severity, where.table]).sort()).toEqual([
    ['warning', 'customer'],
    ['warning', 'user'],
  ]);
  // Nothing but these rows is other than without the files, under the same key or not: rows are the load's.
  expect(summary.tables.map(({ name, rows }) => [name, rows]).sort()).toEqual(loaded.tables.map(({ name, rows }) => [name, rows]).sort());
});

it.each(['Zebedee.Quillfeather@Canary-Mail.net', 'ZEBEDEE.quillfeather@canary-mail.net'])(
  'withholds the dataset when a file brings back an original, in whatever case its type ignores: %s',
  async (email) => {
    const name = email.startsWith('ZEB') ? 'shouted' : 'original';
    const world = await worldWith(
      name,
      `INSERT INTO shop.customer (email, first_name, last_name, country) VALUES ('${email}', 'Real', 'Person', 'FR');`,
    );
    const { summary } = await world.provision();
    expect(summary.state).toBe('withheld');
    expect(summary.findings.filter(({ severity }) => severity === 'error')).toMatchObject([
      { code: 'VERIFY_ORIGINAL_FOUND', where: { schema: 'shop', table: 'customer', column: 'email' } },
    ]);
    expect(JSON.stringify(summary).toLowerCase()).not.toContain('quillfeather');
    expect(await sample.traces(name)).toEqual([]);
  },
);

it('withholds the dataset when a file leaves a sequence behind its column', async () => {
  const world = await worldWith('sequence', `SELECT setval('shop.store_id_seq', 1, false);`);
  const { summary } = await world.provision();
  expect(summary.state).toBe('withheld');
  expect(summary.findings).toContainEqual(expect.objectContaining({ code: 'VERIFY_SEQUENCE_BEHIND' }));
});

it('stops at a file that fails, names its line and not the text of the server, and leaves nothing behind', async () => {
  const world = await worldWith('failing', `SELECT 1;\n\nSELECT 'a secret of the file'::int;\n`);
  const { summary, error } = await world.provision();
  expect(summary.state).toBe('failed');
  expect(error).toMatchObject({ code: 'DELIVER_AFTER_FAILED', where: { line: 3, sqlState: '22P02' } });
  expect(JSON.stringify([summary, String(error)])).not.toContain('a secret of the file');
  expect(await sample.traces('failing')).toEqual([]);
});

it('runs the files without the rights of the provisioning role', async () => {
  for (const [i, sql] of ['CREATE ROLE stowaway', 'CREATE DATABASE stowaway'].entries()) {
    const world = await worldWith(`rights_${i}`, sql);
    const { summary, error } = await world.provision();
    expect([sql, summary.state]).toEqual([sql, 'failed']);
    expect(error).toMatchObject({ code: 'DELIVER_AFTER_FAILED', where: { sqlState: '42501' } });
  }
  expect(await sample.server.sql('postgres', `SELECT rolname FROM pg_roles WHERE rolname = 'stowaway'`)).toEqual([]);
});
