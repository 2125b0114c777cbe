// `bauta gate check` as a pipeline runs it: exit codes, formats, and every way of not being asked. The service is a small one that answers what it is told:
// what a gate decides has its tests at test/api/gate.spec.ts.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';

import { packageFile } from '../../src/kernel/package-root.js';
import { type Said, bauta } from '../support/tiny-source.js';

const reason = {
  code: 'CRITICAL_WITH_FIX',
  controlIds: ['PCI-6.3.3'],
  message: 'a | b [x](http://evil.example)',
  points: 60,
  evidenceId: 'e',
  hint: 'update',
};
const allowed = {
  ...{ allow: true, status: 'SUCCEEDED', score: 100, threshold: 85, reasons: [], missing: [], waived: [] },
  items: [{ code: 'scan', points: 60, earned: 60, evidenceId: 'e' }],
  ...{ decisionId: '6f1c1c1e-8a55-4c1e-9d3c-2f5d5a1f0b11', others: [], policy: { bundle: 'bauta', revision: 'r', digest: 'sha256:0' } },
  ...{
    evaluatedAt: '2026-11-22T00:00:00.000Z',
    expiresAt: '2026-11-22T00:15:00.000Z',
    inputsDigest: 'sha256:1',
    log: { origin: 'o', index: 3 },
  },
};
const denied = { ...allowed, allow: false, status: 'TERMINAL', score: 76, reasons: [reason] };
const advised = { ...denied, allow: true, status: 'SUCCEEDED', enforced: false, wouldDeny: ['CRITICAL_WITH_FIX'] };
let server: Server;
let folder = '';
/** What it answers next, and what it was asked last. */
const next: { status: number; body: unknown; waitMs: number; asked: unknown } = { status: 200, body: allowed, waitMs: 0, asked: undefined };
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bauta-gate-command-'));
  server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      next.asked = [request.url, JSON.parse(Buffer.concat(pieces).toString('utf8'))];
      const { status, body } = next;
      const answer = (): unknown =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body));
      if (next.waitMs === 0) answer();
      else setTimeout(answer, next.waitMs);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const check = (...more: string[]): Promise<Said> =>
  bauta(['gate', 'check', 'production', '--environment', 'prod', '--service', 'web', '--server', url(), '--token', 'env:TOKEN', ...more], {
    env: { TOKEN: 'secret-of-the-test' },
  });
const answering = (status: number, body: unknown, waitMs = 0): void => void Object.assign(next, { status, body, waitMs });

it('is 0 for a yes and 2 for a no, and says what was decided', async () => {
  answering(200, allowed);
  const statement = join(folder, 'statement.json');
  writeFileSync(statement, '{"state":"valid"}');
  const yes = await check('--commit', 'a'.repeat(40), '--image', 'web@sha256:0', '--dataset', 'shop@3', '--statement', statement);
  expect([yes.exitCode, yes.stdout.split('\n')[0]]).toEqual([0, 'allow: production, score 100 of 85 wanted']);
  expect(next.asked).toEqual([
    '/v1/gates/production/decisions',
    {
      environment: 'prod',
      service: 'web',
      commit: 'a'.repeat(40),
      image: 'web@sha256:0',
      datasetVersion: 'shop@3',
      statement: { state: 'valid' },
    },
  ]);
  answering(200, denied);
  const no = await check();
  expect([no.exitCode, no.stdout]).toEqual([
    2,
    expect.stringMatching(/^deny: production, score 76 of 85 wanted\n[^]*CRITICAL_WITH_FIX[^]*→ update/),
  ]);
  answering(200, advised);
  const soft = await check();
  expect([soft.exitCode, soft.stdout.split('\n')[0]]).toEqual([0, 'allow, not enforced: production, score 76 of 85 wanted']);
});

it('writes the answer as JSON, JUnit XML, SARIF and Markdown', async () => {
  answering(200, denied);
  const json = await check('--json');
  const schema = JSON.parse(readFileSync(packageFile('docs', 'schema', 'output-gate.json'), 'utf8')) as object;
  const fits = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(schema);
  expect([json.exitCode, fits(JSON.parse(json.stdout)), fits.errors]).toEqual([2, true, null]);
  const junit = await check('--format', 'junit');
  expect([junit.exitCode, junit.stdout]).toEqual([2, expect.stringContaining('failures="1"')]);
  const sarif = JSON.parse((await check('--format', 'sarif')).stdout) as { runs: { results: { ruleId: string; level: string }[] }[] };
  expect(sarif.runs[0]?.results).toMatchObject([{ ruleId: 'CRITICAL_WITH_FIX', level: 'error' }]);
  const markdown = await check('--format', 'markdown');
  // What an answer says cannot end a cell, or be a link.
  expect(markdown.stdout).toContain('a \\| b \\[x\\]\\(http://evil.example\\)');
  answering(200, advised);
  expect((await check('--format', 'junit')).stdout).toContain('failures="0"');
  answering(200, allowed);
  expect((await check('--format', 'junit')).stdout).toContain('tests="1" failures="0"');
});

it('is 1 when it could not be asked or decided, whatever the reason, and never 0 or 2', async () => {
  const problem = (code: string): object => ({ code, title: 'x', where: {}, findings: [] });
  for (const [status, body] of [
    ...([
      [401, problem('TOKEN_INVALID')],
      [403, problem('ACCESS_DENIED')],
      [404, problem('RESOURCE_UNKNOWN')],
    ] as const),
    ...([
      [422, problem('REQUEST_REFUSED')],
      [429, problem('RATE_LIMITED')],
      [500, problem('UNEXPECTED')],
    ] as const),
    ...([
      [503, problem('DEPLOYMENT_UNDECIDED')],
      [502, '<html>'],
      [302, ''],
      [200, ''],
    ] as const),
    ...([
      [200, '{"allow":"true"}'],
      [200, {}],
      [200, { ...allowed, allow: 1 }],
      [200, { ...denied, reasons: [] }],
    ] as const),
  ] as const) {
    answering(status, body);
    const { exitCode, stdout, stderr } = await check();
    expect([status, JSON.stringify(body).slice(0, 40), exitCode, stdout]).toEqual([status, JSON.stringify(body).slice(0, 40), 1, '']);
    expect(stderr).toMatch(/^error: [A-Z_]+: /m);
  }
  const gone = await bauta(
    ['gate', 'check', 'g', '--environment', 'e', '--service', 's', '--server', 'http://127.0.0.1:1', '--token', 'env:TOKEN'],
    {
      env: { TOKEN: 'secret-of-the-test' },
    },
  );
  expect(gone.exitCode).toBe(1);
});

it('is 4 when its own time-out has passed, and 3 when the command line says nothing that could be asked', async () => {
  answering(200, allowed, 5000);
  expect((await check('--timeout', '300ms')).exitCode).toBe(4);
  answering(200, allowed);
  expect((await check('--statement', join(folder, 'nowhere.json'))).exitCode).toBe(3);
  expect(
    (await bauta(['gate', 'check', 'g', '--service', 's', '--server', url(), '--token', 'env:TOKEN'], { env: { TOKEN: 'x' } })).exitCode,
  ).toBe(3);
});
