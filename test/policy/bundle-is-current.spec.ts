// What is committed is what the sources say.
import { spawnSync } from 'node:child_process';

import { expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { itWithOpa } from './opa-binary.js';

const check = (): { readonly status: number | null; readonly stderr: string } =>
  spawnSync(process.execPath, [packageFile('policies', 'build.mjs'), '--check'], { cwd: packageFile('.'), encoding: 'utf8' });

it('commits a manifest and a page that fit the rules by digest', () => {
  // Without an opa of the manifest's version the bytes are compared in the test below, or not at all, loudly.
  const { status, stderr } = check();
  if (process.env['BAUTA_WORLD'] !== 'required') expect(stderr.replace(/^policies: not compiled again.*\n$/, '')).toBe('');
  expect(status).toBe(0);
});

itWithOpa('commits a wasm that opa makes anew byte by byte', () => {
  const { status, stderr } = check();
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
