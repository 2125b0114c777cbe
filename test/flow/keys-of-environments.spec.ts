// Two environments share no pseudonym unless a document joins them; a rotation changes every pseudonym but for who keeps the old ones; and what a
// destroyed key made can be made by nobody again.
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { eventsOf, faultsOf } from '../support/log.js';
import { type Said, type TinyWorld, bauta, pipelineText, startTinyWorld } from '../support/tiny-source.js';

let world: TinyWorld;
let home: string;
let source: string;
beforeAll(async () => {
  world = await startTinyWorld();
  home = mkdtempSync(join(tmpdir(), 'bauta-keys-'));
  source = await world.source('shop');
}, 60_000);
afterAll(async () => {
  await world.stop();
  rmSync(home, { recursive: true, force: true });
});

const far = '2999-12-31';
const keysOf = (environment: string): string => join(home, 'keys', 'masking', 'default', environment);
const documentsOf = (environment: string, keys: string): string => {
  const place = `environment: ${environment}\n${keys === '' ? '' : `  keys: ${keys}\n`}`;
  return world.documents({
    'pipeline.yaml': pipelineText.replace('environment: dev\n', place).replace('name: tiny', `name: ${environment}`),
  });
};
const run = (environment: string, keys = '', ...words: string[]): Promise<Said> =>
  bauta(['run', '-f', documentsOf(environment, keys), '--home', home, '--json', ...words], {
    env: { SOURCE_URL: source, TARGET_URL: world.target(`copy_${environment}`), BAUTA_THREADS: '0' },
  });
const command = (...words: string[]): Promise<Said> => bauta(['keys', ...words, '--home', home]);

interface Person {
  readonly id: number;
  readonly email: string;
}
async function made(environment: string, keys = ''): Promise<readonly Person[]> {
  const { exitCode, stderr } = await run(environment, keys);
  expect([exitCode, stderr.replace(/^(?!error|warning).*\n/gm, '')]).toEqual([0, expect.not.stringContaining('error')]);
  return (await world.server.sql(`copy_${environment}`, 'SELECT * FROM app.person ORDER BY id')) as unknown as Person[];
}
const emails = (people: readonly Person[]): string[] => people.map(({ email }) => email);
const codes = ({ stdout }: Said): string[] => (JSON.parse(stdout) as { findings: { code: string }[] }).findings.map(({ code }) => code);
const shared = (a: readonly Person[], b: readonly Person[]): string[] => emails(a).filter((email) => emails(b).includes(email));

let first: readonly Person[];
let second: readonly Person[];

it('gives two environments keys of their own, so that they share no pseudonym', async () => {
  first = await made('dev');
  const ci = await made('ci');
  expect([first.length, ci.length]).toEqual([180, 180]);
  expect(shared(first, ci)).toEqual([]);
  expect(readdirSync(join(home, 'keys', 'masking', 'default')).sort()).toEqual(['ci', 'dev']);
}, 60_000);

it('gives an environment that a document joins to another every pseudonym of the other, and no key', async () => {
  expect(await made('joined', '{ join: { environment: dev, reason: both are tested as one system } }')).toEqual(first);
  expect(existsSync(keysOf('joined'))).toBe(false);
  const plan = await bauta(['plan', '-f', documentsOf('joined', '{ join: { environment: dev, reason: tested as one } }'), '--home', home], {
    env: { SOURCE_URL: source, TARGET_URL: world.target('copy_joined') },
  });
  expect(plan.stdout).toContain('keys      those of environment dev: both share every pseudonym (“tested as one”)\n');
}, 60_000);

it('refuses joins that chain, and documents that say two things of one environment', async () => {
  const itself = await run('dev', '{ join: { environment: dev, reason: a reason that says nothing } }');
  expect([itself.exitCode, itself.stderr]).toEqual([3, expect.stringContaining('KEYS_JOIN_CHAIN')]);
  const never = await run('dev', '{ previous: { version: 1, until: 2026-02-31 } }');
  expect([never.exitCode, codes(never)]).toEqual([3, ['DOCUMENT_VALUE_INVALID']]);
});

it('makes other pseudonyms after a rotation, tells it in the log, and keeps the old ones for who says so, until his day', async () => {
  const rotated = await command('rotate', '--environment', 'dev', '--reason', 'a year is over');
  expect([rotated.exitCode, rotated.stdout]).toEqual([
    0,
    expect.stringMatching(/^rotated: masking\/default\/dev is at version 2; version 1 is kept/),
  ]);
  second = await made('dev');
  expect(shared(first, second)).toEqual([]);
  expect(await made('dev', `{ previous: { version: 1, until: ${far} } }`)).toEqual(first);
  const past = await bauta(
    ['plan', '-f', documentsOf('dev', '{ previous: { version: 1, until: 2020-01-01 } }'), '--home', home, '--json'],
    {
      env: { SOURCE_URL: source, TARGET_URL: world.target('copy_dev') },
    },
  );
  expect(JSON.parse(past.stdout)).toMatchObject({ plan: { keyVersion: 2, keys: { previous: { version: 1, until: '2020-01-01' } } } });
  expect(codes(past)).toContain('KEY_PREVIOUS_OVER');
  expect(
    eventsOf(home)
      .filter(({ type }) => type.startsWith('key.rotated'))
      .map(({ type, data }) => [type, data['from'], data['version']]),
  ).toEqual([
    ['key.rotated.intended', 1, 2],
    ['key.rotated.done', 1, 2],
  ]);
}, 60_000);

it('destroys nothing that the last copy of a pipeline keeps, nor the newest version', async () => {
  const needed = await command('destroy', '--environment', 'dev', '--up-to', '1', '--reason', 'the project has ended');
  expect([needed.exitCode, needed.stderr]).toEqual([2, expect.stringMatching(/KEY_NEEDED.*pipeline dev until 2999-12-31/)]);
  const newest = await command('destroy', '--environment', 'dev', '--up-to', '2', '--reason', 'the project has ended');
  expect([newest.exitCode, newest.stderr]).toEqual([3, expect.stringContaining('KEY_VERSION_CURRENT')]);
  expect(readdirSync(keysOf('dev'))).toEqual(['v1.key', 'v2.key']);
  expect(eventsOf(home).filter(({ type }) => type.startsWith('key.destroyed'))).toEqual([]);
});

it('destroys an old version, attests what stays and what it cannot reach, and then nobody makes its pseudonyms again', async () => {
  cpSync(join(home, 'keys'), join(home, 'backup'), { recursive: true });
  expect(await made('dev')).toEqual(second);
  const destroyed = await command(
    'destroy',
    '--environment',
    'dev',
    '--up-to',
    '1',
    '--reason',
    'the project has ended',
    '--backups',
    'tapes of 14 days',
  );
  expect([destroyed.exitCode, destroyed.stderr]).toEqual([0, '']);
  expect(destroyed.stdout).toContain('  stays        dev in copy_dev, environment dev: 2 datasets of version 1, personal data still\n');
  expect(destroyed.stdout).toContain(
    '  stays        joined in copy_joined, environment joined: 1 dataset of version 1, personal data still\n',
  );
  expect(destroyed.stdout).toContain('  not reached  backups of the keys: declared (“tapes of 14 days”)\n');
  expect(readdirSync(keysOf('dev')).sort()).toEqual(['v1.destroyed', 'v2.key']);
  const [intent, done, ...more] = eventsOf(home).filter(({ type }) => type.startsWith('key.destroyed'));
  expect([intent?.type, done?.type, more]).toEqual(['key.destroyed.intended', 'key.destroyed.done', []]);
  expect(intent?.data).toMatchObject({
    ...{ purpose: 'masking', workspace: 'default', environment: 'dev', upTo: 1 },
    versions: [{ version: 1, check: expect.stringMatching(/^[0-9a-f]{32}$/) }],
    madeWith: [
      { version: 1, pipeline: 'dev', environment: 'dev', target: 'copy_dev', datasets: [1, 3] },
      { version: 1, pipeline: 'joined', environment: 'joined', target: 'copy_joined', datasets: [1] },
    ],
    cannotReach: [{ what: 'backups of the keys', state: 'declared' }, { state: 'unknown' }, { state: 'unknown' }],
  });
  // What people wrote is not in the log, only what stands for it.
  expect(intent?.data['reason']).toEqual({ committed: expect.stringMatching(/^sha256:/) });

  const keeping = await run('dev', `{ previous: { version: 1, until: ${far} } }`);
  expect([keeping.exitCode, keeping.stderr]).toEqual([3, expect.stringContaining('KEY_VERSION_DESTROYED')]);
  const reusing = await run('dev', `{ previous: { version: 1, until: ${far} } }`, '--reuse');
  expect([reusing.exitCode, reusing.stderr]).toEqual([3, expect.stringContaining('KEY_VERSION_DESTROYED')]);
  const again = await command('destroy', '--environment', 'dev', '--up-to', '1', '--reason', 'once more');
  expect([again.exitCode, again.stdout]).toEqual([0, 'masking/default/dev: everything up to version 1 was destroyed before\n']);
}, 90_000);

it('does not use a destroyed key that came back from a backup, and takes it away when it is told to', async () => {
  const [now, restored] = [join(home, 'now'), keysOf('dev')];
  cpSync(restored, now, { recursive: true });
  rmSync(restored, { recursive: true });
  cpSync(join(home, 'backup', 'masking', 'default', 'dev'), restored, { recursive: true });
  const keeping = await run('dev', `{ previous: { version: 1, until: ${far} } }`);
  expect([keeping.exitCode, codes(keeping)]).toEqual([3, expect.arrayContaining(['KEY_CAME_BACK'])]);
  const listed = await command('list', '--json');
  expect([listed.exitCode, codes(listed)]).toEqual([1, ['KEY_CAME_BACK']]);
  expect((await command('destroy', '--environment', 'dev', '--up-to', '1', '--reason', 'it came back')).exitCode).toBe(0);
  expect(readdirSync(restored).sort()).toEqual(['v1.destroyed', 'v2.key']);
  expect(await made('dev')).toEqual(second);
}, 60_000);

it('refuses keys that are older than the log', async () => {
  rmSync(join(keysOf('dev'), 'v2.key'));
  rmSync(join(keysOf('dev'), 'v1.destroyed'));
  cpSync(join(home, 'backup', 'masking', 'default', 'dev', 'v1.key'), join(keysOf('dev'), 'v1.key'));
  const old = await run('dev');
  expect([old.exitCode, codes(old)]).toEqual([3, expect.arrayContaining(['KEY_CAME_BACK', 'KEY_NEWEST_LOST'])]);
});

it('leaves a whole log with no open intent', async () => {
  expect(await faultsOf(home)).toEqual({ findings: [], open: [] });
});
