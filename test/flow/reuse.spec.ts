// A version that is there is taken instead of a run only when it is asked for, the gate allows it today, and nothing has changed since.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { type Said, type TinyWorld, bauta, pipelineText, startTinyWorld } from '../support/tiny-source.js';

let world: TinyWorld;
let home: string;
let env: Record<string, string>;
const run = (documents: string, ...words: string[]): Promise<Said> => bauta(['run', '-f', documents, '--home', home, ...words], { env });
const versions = async (): Promise<unknown[]> => {
  const { stdout } = await bauta(['datasets', '-f', world.documents(), '--home', home, '--json'], { env });
  return (JSON.parse(stdout) as { datasets: { version: number; state: string }[] }).datasets.map(({ version, state }) => [version, state]);
};

beforeAll(async () => {
  world = await startTinyWorld();
  home = mkdtempSync(join(tmpdir(), 'bauta-reuse-'));
  env = { SOURCE_URL: await world.source('shop'), TARGET_URL: world.target('copy'), BAUTA_THREADS: '0' };
}, 60_000);
afterAll(async () => {
  await world.stop();
  rmSync(home, { recursive: true, force: true });
});

it('takes the version that is there while nothing has changed, and says how old it is', async () => {
  const documents = world.documents();
  const first = await run(documents, '--reuse', '--json');
  expect(first.stderr).toContain('reuse    no: the target has no version');
  const made = JSON.parse(first.stdout) as { state: string; runId: string };
  expect(made.state).toBe('published');

  const second = await run(documents, '--reuse', '--json');
  expect(second.stderr).toMatch(/^reused copy, version 1: its rows were read \d+ s ago, the source has not changed until 20/m);
  const taken = JSON.parse(second.stdout) as { state: string; dataset: unknown; reused: Record<string, unknown>; tables: unknown[] };
  expect([second.exitCode, taken.state, taken.tables]).toEqual([0, 'reused', []]);
  expect(taken.dataset).toMatchObject({ target: 'copy', version: 1 });
  expect(taken.reused).toMatchObject({ target: 'copy', version: 1, runId: made.runId, ageSeconds: expect.any(Number) });
  expect(await versions()).toEqual([[1, 'current']]);
  const verified = await bauta(['audit', 'verify', '--home', home], { env });
  expect(verified.exitCode).toBe(0);
}, 60_000);

it('asks the gate all the same: what policy denies today is not offered', async () => {
  const denied = await run(world.documents({ 'pipeline.yaml': pipelineText.replace('allows: [pii]', 'allows: []') }), '--reuse', '--json');
  expect([denied.exitCode, JSON.parse(denied.stdout)]).toEqual([2, expect.objectContaining({ state: 'denied', dataset: null })]);
});

it('makes a new version when a row or the documents have changed, and when nobody asked for another', async () => {
  await world.server.sql('shop', `UPDATE app.product SET title = 'another' WHERE sku = 'P1'`);
  const changed = await run(world.documents(), '--reuse');
  expect(changed.stderr).toContain('reuse    no: the source has changed since version 1');
  expect(await world.server.sql('copy', `SELECT title FROM app.product WHERE sku = 'P1'`)).toEqual([{ title: 'another' }]);

  const other = world.documents({ 'pipeline.yaml': pipelineText.replace('retentionDays: 30', 'retentionDays: 31') });
  expect((await run(other, '--reuse')).stderr).toContain('reuse    no: version 2 was made by another plan');
  expect((await run(other)).stderr).toMatch(/published.* version 4:/);
}, 60_000);
