// `bauta people` and `bauta apikeys`: a fresh service gets its people by the command line alone, and a key is said once, alone.
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';

import { packageFile } from '../../src/kernel/package-root.js';
import type { LoggedEvent } from '../../src/pipeline/event.js';
import { findAllApart } from '../support/reconciled.js';
import { type ServiceWorld, startServiceWorld } from '../support/service.js';
import { type Said, bauta } from '../support/tiny-source.js';

const folder = mkdtempSync(join(tmpdir(), 'bauta-people-'));
let world: ServiceWorld;
const keys: Record<string, string> = {};
beforeAll(async () => {
  world = await startServiceWorld();
});
afterAll(async () => {
  await world.stop();
  rmSync(folder, { recursive: true });
});

const as = (who: string, ...words: string[]): Promise<Said> =>
  bauta([...words, '--server', world.url, '--token', 'env:KEY'], { env: { KEY: keys[who] ?? '' }, cwd: folder });
const parse = ({ stdout }: Said, command: string): Record<string, unknown> => {
  const schema = JSON.parse(readFileSync(packageFile('docs', 'schema', `output-${command}.json`), 'utf8')) as object;
  const fits = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
  const said = JSON.parse(stdout) as Record<string, unknown>;
  expect([fits(said), fits.errors]).toEqual([true, null]);
  return said;
};

it('makes the first administrator with the one-time token, whose key is the whole of stdout', async () => {
  writeFileSync(join(folder, 'first-token'), `${(await world.firstToken()) ?? ''}\n`);
  const made = await bauta(['apikeys', 'make', 'ada', '--server', world.url, '--token', 'file:first-token'], { cwd: folder });
  expect([made.exitCode, made.stdout.match(/^bauta_[A-Za-z0-9_-]+\n$/)?.length]).toEqual([0, 1]);
  expect(made.stderr).toMatch(/^a key of ada, until \d{4}-.*; shown this once\n$/);
  keys['ada'] = world.secret(made.stdout.trim());
});

it('adds people with their roles, and says what a role is that there is not', async () => {
  const added = await as('ada', 'people', 'add', 'bob', '--roles', 'policy-admin, viewer');
  expect([added.exitCode, added.stdout]).toEqual([0, 'PERSON  ROLES                 OWNER\nbob     policy-admin, viewer\n']);
  const robot = await as('ada', 'people', 'add', 'ci', '--roles', 'requester@dev', '--owner', 'bob', '--json');
  expect(parse(robot, 'people')).toMatchObject({ people: [{ name: 'ci', roles: ['requester@dev'], owner: 'bob' }] });
  const wrong = await as('ada', 'people', 'add', 'eve', '--roles', 'king');
  expect([wrong.exitCode, wrong.stderr]).toEqual([3, expect.stringContaining('roles')]);
  expect((await as('ada', 'people', 'add', 'eve')).stderr).toContain('OPTION_MISSING');
});

it('makes, lists and revokes keys; a revoked one opens nothing', async () => {
  const made = parse(await as('ada', 'apikeys', 'make', 'bob', '--name', 'laptop', '--days', '7', '--json'), 'apikeys');
  const { id, token } = made['key'] as { id: string; token: string };
  keys['bob'] = world.secret(token);
  const listed = await as('ada', 'apikeys', 'list');
  expect(listed.stdout).toContain('laptop');
  expect(listed.stdout).not.toContain(token);
  expect((await as('bob', 'runs', 'list')).exitCode).toBe(0);
  expect([(await as('ada', 'apikeys', 'revoke', id)).exitCode, (await as('bob', 'runs', 'list')).stderr]).toEqual([
    0,
    expect.stringContaining('TOKEN_INVALID'),
  ]);
});

it('says what waits for another administrator, and ends with 2', async () => {
  expect((await as('ada', 'people', 'add', 'root', '--roles', 'administrator')).exitCode).toBe(0);
  const granted = await as('ada', 'people', 'grant', 'bob', '--roles', 'operator');
  expect([granted.exitCode, granted.stderr]).toEqual([2, expect.stringMatching(/bauta approvals approve [0-9a-f-]{36}\n$/)]);
  const key = await as('ada', 'apikeys', 'make', 'bob');
  expect([key.exitCode, key.stdout]).toEqual([2, '']);
  expect(parse(await as('ada', 'people', 'list', '--json'), 'people')).toMatchObject({ findings: [] });
});

it('leaves people, what they may do and their keys as the log tells them, the first administrator and one who was erased among them', async () => {
  const { token } = parse(await as('ada', 'apikeys', 'make', 'ada', '--name', 'second', '--json'), 'apikeys')['key'] as { token: string };
  world.secret(token);
  await world.startSequencer();
  const gone = await world.ask('POST', '/v1/people/ci/erase', { token: keys['ada'] ?? '', json: { reason: 'asked for by ci' } });
  expect([gone.status, await findAllApart(world)]).toEqual([200, []]);
  const [told] = await world.told('person.made');
  // By a commitment alone, and once he is erased nobody can try names.
  expect(JSON.stringify(await world.told())).not.toMatch(/"(ada|bob|ci)"/);
  const { actor: first, ...data } = told?.data ?? {};
  expect(data).toEqual({ person: first, nameCommitment: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
  expect(await world.sql('SELECT name_salt FROM bauta.person WHERE erased_at IS NOT NULL')).toEqual([{ name_salt: null }]);
  // Of an earlier version: the first one's key alone told of him, and nothing of names.
  const isOld = ({ event: { type, data } }: LoggedEvent): boolean =>
    type !== 'person.made' && (type !== 'roles.granted' || data['person'] !== first);
  expect(await findAllApart(world, isOld)).toEqual([]);
});

it('does not know by the log anybody’s name, role or key that somebody wrote beside the service, and names each', async () => {
  const idOf = async (name: string): Promise<string> => String((await world.sql(`SELECT id FROM bauta.person WHERE name = '${name}'`))[0]?.['id']); // prettier-ignore
  const [ada, bob, root] = [await idOf('ada'), await idOf('bob'), await idOf('root')];
  const keyOf = async (where: string): Promise<string> => String((await world.sql(`SELECT id FROM bauta.token WHERE ${where}`))[0]?.['id']);
  const [revoked, first, second] = [
    await keyOf('revoked_at IS NOT NULL'),
    await keyOf(`name NOT IN ('laptop', 'second', 'erased')`),
    await keyOf(`name = 'second'`),
  ];
  const other = randomUUID();
  for (const [change, undo, found] of [
    [
      `UPDATE bauta.person SET name = 'rob' WHERE id = '${bob}'`,
      `UPDATE bauta.person SET name = 'bob' WHERE id = '${bob}'`,
      `another name of person ${bob}`,
    ],
    [
      `UPDATE bauta.person SET owner_id = '${ada}' WHERE id = '${bob}'`,
      `UPDATE bauta.person SET owner_id = NULL WHERE id = '${bob}'`,
      `another owner_id of person ${bob}`,
    ],
    [
      `INSERT INTO bauta.role_grant (workspace_id, person_id, role, environment) SELECT workspace_id, id, 'auditor', '' FROM bauta.person WHERE id = '${bob}'`,
      `DELETE FROM bauta.role_grant WHERE role = 'auditor'`,
      `no entry of role_grant ${bob} auditor`,
    ],
    [
      `UPDATE bauta.role_grant SET granted_by = '${root}' WHERE person_id = '${ada}'`,
      `UPDATE bauta.role_grant SET granted_by = NULL WHERE person_id = '${ada}'`,
      `another granted_by of role_grant ${ada} administrator`,
    ],
    [
      `UPDATE bauta.token SET expires_at = expires_at + interval '1 day' WHERE id = '${first}'`,
      `UPDATE bauta.token SET expires_at = expires_at - interval '1 day' WHERE id = '${first}'`,
      `another expires_at of token ${first}`,
    ],
    [
      `CREATE TABLE public.was AS SELECT revoked_at FROM bauta.token WHERE id = '${revoked}'; UPDATE bauta.token SET revoked_at = NULL WHERE id = '${revoked}'`,
      `UPDATE bauta.token SET revoked_at = (SELECT revoked_at FROM public.was) WHERE id = '${revoked}'; DROP TABLE public.was`,
      `another revoked of token ${revoked}`,
    ],
    [
      `INSERT INTO bauta.token (id, workspace_id, person_id, name, digest, expires_at) SELECT '${other}', workspace_id, id, 'k', sha256('k'), now() FROM bauta.person WHERE id = '${ada}'`,
      `DELETE FROM bauta.token WHERE id = '${other}'`,
      `no entry of token ${other}`,
    ],
    [
      `CREATE TABLE public.was AS SELECT digest FROM bauta.token WHERE id = '${second}'; UPDATE bauta.token SET digest = sha256('k') WHERE id = '${second}'`,
      `UPDATE bauta.token SET digest = (SELECT digest FROM public.was) WHERE id = '${second}'; DROP TABLE public.was`,
      `another digest of token ${second}`,
    ],
    [`DELETE FROM bauta.token WHERE id = '${second}'`, '', `no row of token ${second}`],
    [`DELETE FROM bauta.role_grant WHERE person_id = '${ada}'`, '', `no row of role_grant ${ada} administrator`],
  ] as const) {
    // prettier-ignore
    const before = await findAllApart(world);
    await world.sql(change);
    expect((await findAllApart(world)).filter((one) => !before.includes(one))).toEqual([found]);
    if (undo !== '') {
      await world.sql(undo);
      expect(await findAllApart(world)).toEqual(before);
    }
  }
});
