// The checks of a run at the service: with the run, in its stages, with the dataset version, and for `bauta check --server`.
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';

import type { RunWorker } from '../../src/control/runs/runs.js';
import { checkResultSchema } from '../../src/documents/documents.js';
import { type ServiceWorld, startRunWorker, startServiceWorld } from '../support/service.js';
import { type Said, type TinyWorld, bauta, canary, classificationText, pipelineText, startTinyWorld } from '../support/tiny-source.js';

let tiny: TinyWorld;
let world: ServiceWorld;
let worker: RunWorker;
let env: Record<string, string>;
const ada = { token: '' };

const documents = (most: number): string =>
  [
    `${pipelineText.replace('env:SOURCE_URL', 'env:BAUTA_CONN_SOURCE').replace('env:TARGET_URL', 'env:BAUTA_CONN_TINY')}checks:
  - { name: prices, kind: range, table: app.product, columns: price, max: ${most} }
  - { name: cheap, severity: warn, kind: range, table: app.product, columns: price, max: 19 }
  - { name: people, kind: rowCount, table: app.person, min: 1, maxChangePercent: 0 }
`,
    classificationText,
  ].join('---\n');

beforeAll(async () => {
  tiny = await startTinyWorld();
  world = await startServiceWorld(tiny.server);
  const connections = { BAUTA_CONN_SOURCE: await tiny.source('shop'), BAUTA_CONN_TINY: tiny.target('tiny') };
  ada.token = await world.person('ada', ['policy-admin', 'requester', 'viewer']);
  env = { TOKEN: ada.token, BAUTA_TOKEN: 'env:TOKEN' };
  worker = await startRunWorker(world, join(tiny.folder, 'worker'), connections);
  await apply(20);
}, 60_000);
afterAll(async () => {
  await worker.stop();
  await world.stop();
  await tiny.stop();
});

async function apply(most: number): Promise<void> {
  const { status, body } = await world.ask('POST', '/v1/apply', {
    ...{ token: ada.token, text: documents(most), headers: { 'content-type': 'application/yaml' } },
  });
  expect([status, body]).toMatchObject([200, {}]);
}

const remote = (...words: string[]): Promise<Said> => bauta([...words, '--server', world.url], { env, cwd: tiny.folder });
const newest = async (): Promise<Record<string, unknown>> => {
  const { body } = await world.ask('GET', '/v1/runs?pipeline=tiny', { token: ada.token });
  const [run] = body['items'] as { id: string }[];
  return (await world.ask('GET', `/v1/runs/${run?.id ?? ''}`, { token: ada.token })).body;
};

it('keeps what each check counted with the run, tells it in its stages, and keeps the sum with the version', async () => {
  expect((await remote('check', 'tiny')).stderr).toContain('CHECKS_NOT_THERE');
  const said = await remote('run', 'tiny');
  expect([said.exitCode, said.stderr]).toEqual([0, expect.stringContaining('checks   3 checks: 1 failed, 0 not run')]);
  expect(said.stderr).toContain('fail     cheap   range of app.product.price: 1 row; expected 0 rows (warn)');
  const run = await newest();
  expect(run['checks']).toMatchObject([
    { name: 'prices', outcome: 'pass', counted: 0 },
    { name: 'cheap', outcome: 'fail', counted: 1, severity: 'warn' },
    { name: 'people', outcome: 'pass', counted: 180, earlier: { none: 'no earlier version' } },
  ]);
  const fits = new Ajv2020({ strict: false }).compile(checkResultSchema);
  expect((run['checks'] as unknown[]).map((one) => fits(one))).toEqual([true, true, true]);
  expect(JSON.stringify(run['stages'])).toContain('verify: checks.made, pass 2, fail 1, notRun 0');
  expect(JSON.stringify(run)).not.toContain(canary);
  const { body } = await world.ask('GET', '/v1/datasets/current?pipeline=tiny', { token: ada.token });
  expect(body['items']).toMatchObject([{ version: 1, checks: { pass: 2, fail: 1, notRun: 0 } }]);
  const checked = await remote('check', 'tiny', '--json');
  expect([checked.exitCode, JSON.parse(checked.stdout)]).toMatchObject([0, { passed: true, run: run['id'], version: 1, database: 'tiny' }]);
}, 60_000);

it('withholds what fails: the version stays, its sum too, and bauta check --server fails with the last run', async () => {
  await apply(12);
  const said = await remote('run', 'tiny');
  expect([said.exitCode, said.stderr]).toEqual([1, expect.stringContaining('withheld')]);
  expect(await newest()).toMatchObject({ state: 'withheld', checks: [{ outcome: 'fail' }, {}, { earlier: { version: 1, counted: 180 } }] });
  const { body } = await world.ask('GET', '/v1/datasets/current?pipeline=tiny', { token: ada.token });
  expect(body['items']).toMatchObject([{ version: 1, checks: { pass: 2, fail: 1, notRun: 0 } }]);
  const junit = await remote('check', 'tiny', '--format', 'junit');
  expect([junit.exitCode, junit.stdout]).toEqual([1, expect.stringContaining('tests="3" failures="1" errors="0"')]);
  const refused = await remote('check', 'tiny', '--rows', '2');
  expect([refused.exitCode, refused.stderr]).toEqual([3, expect.stringContaining('left out with --server')]);
}, 60_000);
