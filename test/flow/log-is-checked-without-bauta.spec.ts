// The script of docs/audit-log.md, as it stands there: Python's own modules and openssl, and not a line of ours.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { packageFile } from '../../src/kernel/package-root.js';
import { FileAuditSink } from '../../src/systems/files/files.js';

const home = mkdtempSync(join(tmpdir(), 'bauta-test-'));
const [, script = ''] = /```python\n([\s\S]+?)```/.exec(readFileSync(packageFile('docs', 'audit-log.md'), 'utf8')) ?? [];
const has = (program: string): boolean => spawnSync(program, ['version']).error === undefined;
const isThere = has('python3') && has('openssl');
const check = (): string =>
  spawnSync('python3', ['-', join(home, 'log', '2026'), join(home, 'log.pub')], { input: script, encoding: 'utf8' }).stdout;

beforeAll(async () => {
  if (!isThere) {
    const text = 'the independent check of the log, because python3 or openssl is not there';
    if (process.env['BAUTA_WORLD'] === 'required') throw new Error(text);
    process.stderr.write(`SKIPPED: ${text}\n`);
  }
  const sink = new FileAuditSink({ home, period: 'year' });
  const events = Array.from(
    { length: 300 },
    (_, i) => ({ runId: 'r', stage: 'gate', type: `t${i}`, at: '2026-01-01T00:00:00.000Z', data: { é: i } }) as const,
  );
  await Promise.all(events.map((event) => sink.append(event)));
  await sink.close();
});
afterAll(() => rmSync(home, { recursive: true }));

it('another program finds the same root and a good signature, and notices one byte', () => {
  if (!isThere) return;
  expect(check()).toMatch(/\/2026 301 root same signature good\n$/);
  const path = join(home, 'log', '2026', 'tile', 'entries', '000');
  const bytes = readFileSync(path);
  bytes[100]! ^= 1;
  writeFileSync(path, bytes);
  expect(check()).toMatch(/root DIFFERENT signature good\n$/);
});
