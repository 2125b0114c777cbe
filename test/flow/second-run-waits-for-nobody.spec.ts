import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';

import { packageFile } from '../../src/kernel/package-root.js';
import { digestAll } from '../support/compare.js';
import { type Sample, type World, requirePublished, startSample } from '../support/shop.js';

let sample: Sample;
beforeAll(async () => {
  sample = await startSample({ small: true });
}, 120_000);
afterAll(() => sample.stop());

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The command line as a process of its own, in the world's folder. */
function bauta(world: World, ...words: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [packageFile('dist', 'src', 'cli.js'), ...words, '-f', world.file, '--home', world.home], {
    cwd: world.folder,
    env: { PATH: process.env['PATH'], ...world.environment },
  });
  const ended: Ended = { code: null, stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (ended.stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (ended.stderr += String(chunk)));
  return new Promise((resolve) => child.once('close', (code) => resolve({ ...ended, code })));
}

it('refuses a second run to the same target while one is at it, exit 1, and the first one publishes', async () => {
  const world = await sample.world('busy');
  let second: Ended | undefined;
  const border = async (name: string): Promise<void> => {
    if (name === 'deliver') second = await bauta(world, 'run', '--json');
  };
  requirePublished(await world.provision({ hooks: { border } }));
  expect([second?.code, second?.stderr]).toEqual([1, expect.stringContaining('TARGET_BUSY')]);
  expect(JSON.parse(second?.stdout ?? '')).toMatchObject({ state: 'failed', dataset: null, tables: [] });
  expect(await world.copy('SELECT count(*)::int AS n FROM shop.customer')).toEqual([{ n: 1000 }]);
});

it('keeps the previous version, lists both, and rolls back to it once', async () => {
  const world = await sample.world('versions');
  expect((await bauta(world, 'run')).code).toBe(0);
  const first = await digestAll(sample.server, world.target);
  await world.source(`UPDATE shop.product SET title = 'Second version' WHERE sku = 'SKU-00001'`);
  const ran = await bauta(world, 'run', '--json');
  expect(ran.code).toBe(0);
  const summary = JSON.parse(ran.stdout) as Record<string, unknown>;
  expect(summary).toMatchObject({ state: 'published', dataset: { target: 'versions_dev', version: 2 } });
  const second = await digestAll(sample.server, world.target);
  expect(second).not.toEqual(first);
  const { datasets: list } = JSON.parse((await bauta(world, 'datasets', '--json')).stdout) as {
    datasets: { version: number; state: string }[];
  };
  expect(list.map(({ version, state }) => `${version} ${state}`).sort()).toEqual(['1 previous', '2 current']);
  expect((await bauta(world, 'rollback')).code).toBe(0);
  expect(await digestAll(sample.server, world.target)).toEqual(first);
  const again = await bauta(world, 'rollback');
  expect([again.code, again.stderr]).toEqual([3, expect.stringContaining('ROLLBACK_NOTHING')]);
  expect(await digestAll(sample.server, world.target)).toEqual(first);
});

it('ends with exit 2 when the gate denies and 3 when the documents are wrong', async () => {
  const world = await sample.world('exits');
  world.edit('pipeline.yaml', 'allows: [pii, pci, secret, quasi]', 'allows: [pii, secret, quasi]');
  const denied = await bauta(world, 'run', '--json');
  expect(denied.code).toBe(2);
  expect(JSON.parse(denied.stdout)).toMatchObject({ state: 'denied', decision: { allow: false } });
  world.edit('pipeline.yaml', 'kind: Pipeline', 'kind: Pipelime');
  expect((await bauta(world, 'run')).code).toBe(3);
});
