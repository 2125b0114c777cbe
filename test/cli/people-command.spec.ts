// `bauta people` and `bauta apikeys`: a fresh service gets its people by the command line alone, and a key is said once, alone.
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';

import { packageFile } from '../../src/kernel/package-root.js';
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
