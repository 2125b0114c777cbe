// `bauta schedules`: when a document is due, without a service; and what a service has, paused and resumed there.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';

import { packageFile } from '../../src/kernel/package-root.js';
import { type ServiceWorld, startServiceWorld } from '../support/service.js';
import { type Said, bauta } from '../support/tiny-source.js';

const folder = mkdtempSync(join(tmpdir(), 'bauta-schedules-'));
const file = join(folder, 'schedules.yaml');
const nightly = `kind: Schedule\nname: nightly\npipeline: shop\ncron: '30 2 * * *'\ntimeZone: Europe/Berlin\n`;
writeFileSync(file, `${nightly}---\nkind: Schedule\nname: often\npipeline: shop\ncron: '*/30 * * * *'\nstartDate: 2026-10-25\n`);

let world: ServiceWorld;
let env: Record<string, string> = {};
beforeAll(async () => {
  world = await startServiceWorld();
  const ada = await world.person('ada', ['policy-admin']);
  env = { TOKEN: await world.person('otto', ['operator']), OTHER: await world.person('vic', ['viewer']) };
  const pipeline = `kind: Pipeline\nname: shop\nsource: env:BAUTA_CONN_S\nclassification: shop\npurpose: tests of the service\nowner: team
legalBasis: GDPR Art. 6(1)(f)\nsubjectCategories: [customers]\nretentionDays: 30
target: { connection: env:BAUTA_CONN_T, environment: dev, class: dev, allows: [pii] }
---\nkind: Classification\nname: shop\ntables: { shop.customer: { person: true, columns: { id: pii.key } } }\n`;
  const text = `${pipeline}---\n${readFileSync(file, 'utf8')}`;
  const { status, body } = await world.ask('POST', '/v1/apply', { token: ada, text, headers: { 'content-type': 'application/yaml' } });
  expect([status, body['findings']]).toEqual([200, undefined]);
});
afterAll(async () => {
  await world.stop();
  rmSync(folder, { recursive: true });
});

const schema = JSON.parse(readFileSync(packageFile('docs', 'schema', 'output-schedules.json'), 'utf8')) as object;
const fits = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);

/** The object that is said with --json; MUST fit its published form. */
function parse({ stdout }: Said): Record<string, unknown> {
  const said = JSON.parse(stdout) as Record<string, unknown>;
  expect([fits(said), fits.errors]).toEqual([true, null]);
  return said;
}
const ask = (...words: string[]): Promise<Said> =>
  bauta(['schedules', ...words, '--server', world.url, '--token', 'env:TOKEN'], { env, cwd: folder });

describe('without a service', () => {
  it('tells when each document of a file is due, and what a change of the clocks does to it', async () => {
    const said = await bauta(['schedules', 'next', '-f', file, '--from', '2026-10-24T12:00:00Z', '--count', '2'], { cwd: folder });
    expect([said.exitCode, said.stderr]).toEqual([0, '']);
    expect(said.stdout).toBe(
      `SCHEDULE  DUE                       ON THE CLOCK               CHANGE OF CLOCKS
nightly   2026-10-25T00:30:00.000Z  2026-10-25T02:30:00+02:00  first of two
nightly   2026-10-26T01:30:00.000Z  2026-10-26T02:30:00+01:00
often     2026-10-25T00:00:00.000Z  2026-10-25T00:00:00+00:00
often     2026-10-25T00:30:00.000Z  2026-10-25T00:30:00+00:00
`,
    );
    const json = parse(await bauta(['schedules', 'next', '-f', file, '--count', '1', '--json'], { cwd: folder }));
    expect(json).toMatchObject({ due: [{ name: 'nightly' }, { name: 'often' }], findings: [] });
  });

  it('tells what is wrong with one, by its line', async () => {
    writeFileSync(join(folder, 'bad.yaml'), nightly.replace('30 2', '30 25'));
    const said = await bauta(['schedules', 'next', '-f', join(folder, 'bad.yaml')], { cwd: folder });
    expect([said.exitCode, said.stderr]).toEqual([
      3,
      expect.stringMatching(/bad\.yaml:4: error DOCUMENT_VALUE_INVALID.*\n.*hours from 0 to 23/),
    ]);
  });
});

describe('of a service', () => {
  it('lists, pauses and resumes, with one token and without a new version', async () => {
    const paused = await ask('pause', 'nightly');
    expect([paused.exitCode, paused.stdout]).toEqual([0, expect.stringMatching(/nightly +1 +paused/)]);
    expect(parse(await ask('list', '--json'))['schedules']).toMatchObject([
      { name: 'nightly', version: 1, paused: true, nextDueAt: null, lastRun: null },
      { name: 'often', paused: false },
    ]);
    expect(parse(await ask('resume', 'nightly', '--json'))['schedules']).toMatchObject([{ paused: false, nextDueAt: expect.any(String) }]);
    expect(parse(await ask('next', 'nightly', '--count', '3', '--json'))['due']).toHaveLength(3);
  });

  it('says what the service says, in its own words, and never the token', async () => {
    const unknown = await ask('pause', 'nobody');
    expect([unknown.exitCode, unknown.stderr]).toEqual([3, expect.stringContaining('RESOURCE_UNKNOWN: there is no such schedule')]);
    const denied = await bauta(['schedules', 'pause', 'nightly', '--server', world.url, '--token', 'env:OTHER'], { env, cwd: folder });
    expect([denied.exitCode, denied.stderr]).toEqual([2, expect.stringContaining('ACCESS_DENIED')]);
    const away = await bauta(['schedules', 'list', '--server', 'http://127.0.0.1:9', '--token', 'env:TOKEN', '--json'], {
      env,
      cwd: folder,
    });
    expect([away.exitCode, parse(away)]).toMatchObject([1, { schedules: [], error: { code: 'SERVER_UNREACHABLE' } }]);
    for (const { stdout, stderr } of [unknown, denied, away])
      for (const token of Object.values(env)) expect(stdout + stderr).not.toContain(token);
  });

  it.each([
    ['a token that is not there', ['--server', 'http://127.0.0.1:9', '--token', 'env:NOWHERE'], '--token is not env:NAME'],
    ['a token on the command line', ['--server', 'http://127.0.0.1:9', '--token', 'bauta_x'], '--token is not env:NAME'],
    ['HTTP to another machine', ['--server', 'http://bauta.internal', '--token', 'env:TOKEN'], '--server is not https://HOST'],
    ['no server', ['--token', 'env:TOKEN'], '--server is missing'],
  ])('refuses %s', async (_, words, told) => {
    const said = await bauta(['schedules', 'list', ...words], { env, cwd: folder });
    expect([said.exitCode, said.stderr]).toEqual([3, expect.stringContaining(told)]);
  });
});
