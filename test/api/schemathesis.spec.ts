// The description of the API against the running service, by schemathesis: whatever fits the description, and much that does not, is asked;
// no answer is a 5xx, and none is one that the description does not have.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { TokenDoors } from '../../src/control/tokens/tokens.js';
import { parseSettings } from '../../src/config/settings.js';
import { openKeys } from '../../src/control/open-keys.js';
import { openPolicy } from '../../src/systems/opa/opa.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { findProgram } from '../support/program.js';
import { type ServiceWorld, startServiceWorld } from '../support/service.js';

const program = findProgram('schemathesis');
const checks = ['not_a_server_error', 'status_code_conformance', 'content_type_conformance', 'response_schema_conformance'];

(program ? describe : describe.skip)('finds no answer that the description does not have', () => {
  let world: ServiceWorld;
  let folder: string;
  let tokens: TokenDoors;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bauta-schemathesis-'));
    const { open } = await openKeys(folder, parseSettings({}));
    tokens = new TokenDoors(open, () => openPolicy({ question: 'exchange' }), 2000);
    world = await startServiceWorld(undefined, undefined, {}, { tokens });
    // Some answers wait for the log.
    await world.startSequencer();
  });
  afterAll(async () => {
    await world.stop();
    await tokens.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Not in this process's turn: the service that is asked runs in it. */
  const ask = (token: string): Promise<{ readonly exitCode: number | null; readonly said: string }> =>
    new Promise((resolve) => {
      const words = ['run', packageFile('docs', 'openapi.json'), '--url', world.url, '--header', `Authorization: Bearer ${token}`];
      const bounds = [
        '--phases',
        'examples,coverage,fuzzing',
        '--max-examples',
        '10',
        '--generation-deterministic',
        '--max-time',
        '25',
        '--request-timeout',
        '30',
      ];
      const child = spawn(program ?? '', [...words, ...bounds, '--checks', checks.join(','), '--warnings', 'off', '--no-color'], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let said = '';
      const hear = (chunk: Buffer): void => void (said += chunk.toString());
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('close', (exitCode) => resolve({ exitCode, said }));
    });

  it.each([
    ['one who applies documents and asks for runs', ['policy-admin', 'requester', 'operator', 'viewer']],
    ['an administrator', ['administrator']],
    ['one who approves', ['approver', 'auditor']],
  ])(
    'asked by %s',
    async (_, roles) => {
      const token = await world.person(roles.join('-'), roles);
      const { exitCode, said } = await ask(token);
      expect([exitCode, exitCode === 0 ? '' : said.slice(-20_000)]).toEqual([0, '']);
      // It did ask: each operation, as often as its time let it.
      expect(Number(/(\d[\d,]*) generated/.exec(said)?.[1]?.replaceAll(',', ''))).toBeGreaterThan(150);
    },
    180_000,
  );
});
