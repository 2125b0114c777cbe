import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { parseVerifierKey } from '../../src/kernel/signed-note.js';
import { verifyChain } from '../../src/pipeline/audit/audit.js';
import { FileAuditSink, openLogFiles } from '../../src/systems/files/files.js';
import { eventsOf, filesOf } from '../support/log.js';

const folder = mkdtempSync(join(tmpdir(), 'bauta-test-'));
const base = join(folder, 'base');
const child = fileURLToPath(new URL('./appending.child.js', import.meta.url));

// 254 entries with the one that opens the log: the second of three more fills a tile.
beforeAll(() => append(base, ...Array.from({ length: 253 }, (_, i) => `before.${i}`)));
afterAll(() => rmSync(folder, { recursive: true }));

async function append(home: string, ...types: string[]): Promise<void> {
  const sink = new FileAuditSink({ home, period: 'year' });
  await Promise.all(types.map((type) => sink.append({ runId: 'r1', stage: 'deliver', type, at: '2026-11-21T08:00:00.000Z', data: {} })));
  await sink.close();
}

/** Everything that is wrong with the log, for whoever saw it before and after. */
async function findingsOf(home: string): Promise<readonly { code: string; severity: string }[]> {
  const verifier = parseVerifierKey(readFileSync(join(home, 'log.pub'), 'utf8'))!;
  const known = [join(base, 'keys', 'log.last'), join(home, 'keys', 'log.last')].map((name) => ({
    name,
    note: readFileSync(name, 'utf8'),
  }));
  return (await verifyChain(openLogFiles(join(home, 'log')), { verifier, known })).findings;
}

function runKilled(home: string, step: number): Promise<{ promised: string[]; steps: number | undefined }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [child, home, String(step)], { encoding: 'utf8' }, (_, stdout) => {
      const [, steps] = /^steps (\d+)$/m.exec(stdout) ?? [];
      resolve({
        promised: stdout.split('\n').filter((line) => ['one', 'two', 'three'].includes(line)),
        steps: steps === undefined ? undefined : Number(steps),
      });
    });
  });
}

async function expectNothingLostAt(step: number): Promise<void> {
  const home = join(folder, `killed-${step}`);
  cpSync(base, home, { recursive: true });
  const { promised, steps } = await runKilled(home, step);
  expect([step, steps]).toEqual([step, undefined]);
  const typesOf = (): string[] =>
    eventsOf(home)
      .map(({ type }) => type)
      .slice(253);
  // What was promised is there; what was not may be.
  const found = typesOf();
  expect([step, found.slice(0, promised.length)]).toEqual([step, promised]);
  expect([step, ['one', 'two', 'three'].slice(0, found.length)]).toEqual([step, found]);
  const left = (await findingsOf(home)).filter(({ severity, code }) => severity === 'error' || code !== 'LOG_UNFINISHED');
  expect([step, left]).toEqual([step, []]);
  await append(home, 'after');
  expect([step, typesOf()]).toEqual([step, [...found, 'after']]);
  expect([step, await findingsOf(home)]).toEqual([step, []]);
  // Nothing half-written and no lock stays behind.
  expect([step, [...filesOf(home).keys()].filter((path) => /\.tmp$|lock\./.test(path))]).toEqual([step, []]);
  rmSync(home, { recursive: true });
}

it('a process killed at any step of an append loses no promised entry, forks nothing and leaves nothing behind, and the next one goes on', async () => {
  const whole = join(folder, 'whole');
  cpSync(base, whole, { recursive: true });
  const { promised, steps = 0 } = await runKilled(whole, 0);
  expect(promised).toEqual(['one', 'two', 'three']);
  expect(steps).toBeGreaterThan(60);
  // Two at a time. The first append has every kind of step, the second fills a tile and has a payload; of the third, every other step.
  const all = Array.from({ length: steps }, (_, i) => i + 1).filter((step) => step <= (steps * 2) / 3 || step % 2 === 0);
  const lanes = [0, 1].map(async (lane) => {
    for (const step of all.filter((_, i) => i % 2 === lane)) await expectNothingLostAt(step);
  });
  await Promise.all(lanes);
}, 300_000);
