// The `opa` program as an oracle: an independent evaluator of the same rules. Tests say loudly when it is missing; BAUTA_WORLD=required makes
// that a failure.
import { spawnSync } from 'node:child_process';

import { it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';

export const hasOpa = spawnSync('opa', ['version'], { stdio: 'ignore' }).status === 0;

export function runOpa(words: readonly string[], input?: string): { readonly status: number | null; readonly stdout: string } {
  return spawnSync('opa', words, {
    cwd: packageFile('.'),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...(input === undefined ? {} : { input }),
  });
}

/** A test that needs opa. */
export function itWithOpa(name: string, body: () => Promise<void> | void): void {
  if (hasOpa) it(name, body);
  else if (process.env['BAUTA_WORLD'] === 'required') {
    it(name, () => {
      throw new Error('opa is not on PATH; go install github.com/open-policy-agent/opa@v1.22.0');
    });
  } else {
    process.stderr.write(`SKIPPED for want of opa on PATH: ${name}\n`);
    it.skip(name, body);
  }
}
