// The completion scripts, run by the shells that they are for.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it } from '@jest/globals';

import { bauta } from '../support/tiny-source.js';

const has = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0;
const needing = (shell: string): typeof it => {
  if (has(shell)) return it;
  if (process.env['BAUTA_WORLD'] === 'required') throw new Error(`${shell} is missing`);
  process.stderr.write(`SKIPPED: ${shell} is not installed\n`);
  return it.skip as typeof it;
};

/** What bash offers after these words, the last of which is being typed. */
function complete(script: string, ...words: readonly string[]): string[] {
  const typed = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _bauta; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', `${script}\n${typed}`], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}

needing('bash')('bash completes commands, options and the values of options', async () => {
  const { stdout: script } = await bauta(['completion', 'bash']);
  expect(complete(script, 'bauta', 'ro')).toEqual(['rollback']);
  expect(complete(script, 'bauta', '')).toEqual([
    'plan',
    'run',
    'apply',
    'runs',
    'approvals',
    'people',
    'apikeys',
    'access',
    'secrets',
    'detokenize',
    'datasets',
    'clones',
    'rollback',
    'expire',
    'evidence',
    'waivers',
    'anomalies',
    'incidents',
    'decisions',
    'gate',
    'breakglass',
    'policy',
    'report',
    'reports',
    'breach',
    'environments',
    'hold',
    'revoke',
    'erase',
    'drift',
    'agents',
    'agent',
    'attest',
    'load',
    'pull',
    'check',
    'classify',
    'demo',
    'doctor',
    'keys',
    'audit',
    'witness',
    'schedules',
    'completion',
  ]);
  expect(complete(script, 'bauta', 'run', '--t')).toEqual(['--token', '--timeout']);
  expect(complete(script, 'bauta', 'plan', '--')).toEqual([
    '--home',
    '--json',
    '--format',
    '--server',
    '--token',
    '--file',
    '--sample',
    '--help',
  ]);
  expect(complete(script, 'bauta', 'run', '--format', 'j')).toEqual(['json']);
  expect(complete(script, 'bauta', 'completion', '')).toEqual(['bash', 'zsh', 'fish']);
  expect(complete(script, 'bauta', '--v')).toEqual(['--version']);
});

for (const shell of ['bash', 'zsh', 'fish'])
  needing(shell)(`${shell} finds nothing wrong with its script`, async () => {
    const { exitCode, stdout, stderr } = await bauta(['completion', shell]);
    expect([exitCode, stderr]).toEqual([0, '']);
    // From a file: fish does not check what comes by a pipe.
    const folder = mkdtempSync(join(tmpdir(), 'bauta-completion-'));
    writeFileSync(join(folder, 'script'), stdout);
    expect(spawnSync(shell, ['-n', join(folder, 'script')], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    rmSync(folder, { recursive: true });
  });

it('an unknown shell is invalid input', async () => {
  expect(await bauta(['completion', 'tcsh'])).toMatchObject({ exitCode: 3, stdout: '' });
});
