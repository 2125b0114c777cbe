// `bauta agents` and `bauta agent` as people use them: a token from one machine to the other, and nothing else.
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { until } from '../support/agent-world.js';
import { findKafka, shareKafka, type TestKafka } from '../support/kafka.js';
import { type TestServer, startTestServer } from '../support/server.js';

const jars = findKafka();
const itHere = jars === undefined ? it.skip : it;
const cli = packageFile('dist', 'src', 'cli.js');
const homes = mkdtempSync(join(tmpdir(), 'bauta-enrolled-'));
let kafka: TestKafka;
let server: TestServer;

beforeAll(async () => {
  if (jars === undefined) return;
  kafka = await shareKafka(jars);
  server = await startTestServer();
  await server.sql('postgres', readFileSync(packageFile('deploy', 'target-role.sql'), 'utf8'));
  await server.sql('postgres', `ALTER ROLE bauta_target PASSWORD 'a password'`);
}, 120_000);
afterAll(async () => {
  await server?.stop();
  rmSync(homes, { recursive: true, force: true });
});

const environment = (): Record<string, string> => {
  const url = new URL(server.url('enrolled_dev'));
  url.username = 'bauta_target';
  url.password = 'a password';
  return { PATH: process.env['PATH'] ?? '', BROKER: kafka.url, TARGET: url.toString() };
};
const bauta = (...words: string[]): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)(process.execPath, [cli, ...words, '--home', join(homes, 'service'), '--broker', 'env:BROKER'], {
    env: environment(),
  });

itHere(
  'a token is shown once, one agent comes in by it, and a revoked one is told so',
  async () => {
    const { stdout: token } = await bauta('agents', 'invite', 'enrolled', '--lasts', '20m');
    const kept = readFileSync(join(homes, 'service', 'agents', readdirSync(join(homes, 'service', 'agents'))[0]!), 'utf8');
    const carried = JSON.parse(Buffer.from(token.trim().slice('bauta-agent-'.length), 'base64url').toString('utf8')) as { secret: string };
    expect(kept).not.toContain(carried.secret);
    const file = join(homes, 'token');
    writeFileSync(file, token, { mode: 0o600 });
    const words = [cli, 'agent', '--home', join(homes, 'one'), '--broker', 'env:BROKER', '--target', 'env:TARGET', '--token-file', file];
    const agent = spawn(process.execPath, words, { env: environment(), stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    agent.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    const ended = new Promise<number | null>((resolve) => agent.once('exit', resolve));
    try {
      await until(
        () => said.includes('asks to be enrolled'),
        () => said,
      );
      const list = async (): Promise<{ agents: { agentId: string; revokedAt: string | null }[] }> =>
        JSON.parse((await bauta('agents', 'list', 'enrolled', '--json')).stdout) as never;
      await until(
        async () => (await list()).agents.length === 1,
        () => said,
      );
      await until(
        () => said.includes('is at work'),
        () => said,
      );
      const agentId = (await list()).agents[0]!.agentId;
      expect(said).toContain(agentId);
      expect(statSync(join(homes, 'one', 'agent', 'agent.key')).mode & 0o077).toBe(0);
      await bauta('agents', 'revoke', 'enrolled', agentId);
      expect((await list()).agents).toMatchObject([{ agentId, revokedAt: expect.any(String) }]);
      expect(await ended).toBe(2);
      expect(said).toContain('AGENT_REVOKED');
    } finally {
      agent.kill('SIGKILL');
    }
  },
  120_000,
);
