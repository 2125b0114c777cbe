import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { expect, it } from '@jest/globals';

import { prune, toArchivePath } from './archive-folder.js';

it('keeps the newest archives and those of runs that are held, however old', async () => {
  const root = mkdtempSync(join(tmpdir(), 'bauta-archives-'));
  try {
    const place = { workspace: 'default', environment: 'dev', pipeline: 'shop' };
    const paths = [1, 2, 3, 4, 5].map((version) => toArchivePath({ ...place, version, runId: `run${version}` }));
    mkdirSync(join(root, dirname(paths[0]!)), { recursive: true });
    for (const path of paths) writeFileSync(join(root, path), '');
    expect(await prune(root, place, 2, new Set(['run2', 'run5']))).toEqual([paths[2], paths[0]]);
    expect(readdirSync(join(root, dirname(paths[0]!)))).toEqual([1, 3, 4].map((n) => paths[n]!.split('/').at(-1)));
  } finally {
    rmSync(root, { recursive: true });
  }
});
