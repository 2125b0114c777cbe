// A deletion that is killed at any step is finished by the next start: the log never has a hole that no entry tells of, nothing that still counts is
// lost, and no half of a log or of a text stays behind.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { parseVerifierKey } from '../../src/kernel/signed-note.js';
import { type ChainReport, homeChangeTypes, toOpenHomeIntents, verifyChain } from '../../src/pipeline/audit/audit.js';
import { FileAuditSink, finishHomeChanges, openLogFiles } from '../../src/systems/files/files.js';
import { filesOf } from '../support/log.js';

const folder = mkdtempSync(join(tmpdir(), 'bauta-test-'));
const base = join(folder, 'base');
const child = fileURLToPath(new URL('./deleting.child.js', import.meta.url));
const clock = { now: () => Date.parse('2026-11-22T08:00:00.000Z') };
let [person, text, oldPerson, oldText] = ['', '', '', ''];

beforeAll(async () => {
  const sink = new FileAuditSink({ home: base, period: 'year' });
  [person, oldPerson] = [await sink.identify('ada'), await sink.identify('bob')];
  [text, oldText] = [await sink.keep('a reason of today'), await sink.keep('a reason of 2019')];
  const at = (year: number, type: string, data: object): Promise<unknown> =>
    sink.append({ runId: `r${year}`, stage: 'mask', type, at: `${year}-03-01T08:00:00.000Z`, data: data as never });
  await at(2019, 'run.started', { actor: oldPerson, reason: { committed: oldText } });
  await at(2019, 'key.recorded', { version: 1, check: 'c1' });
  await at(2019, 'staging.intended', { server: 's', target: 't', planDigest: 'd' });
  await at(2020, 'run.started', { actor: person, reason: { committed: text } });
  await sink.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function look(home: string): Promise<ChainReport> {
  const verifier = parseVerifierKey(readFileSync(join(home, 'log.pub'), 'utf8'))!;
  const known = [join(base, 'log', '2019', 'checkpoint'), join(home, 'keys', 'log.last')];
  return verifyChain(openLogFiles(join(home, 'log')), {
    verifier,
    known: known.map((name) => ({ name, note: readFileSync(name, 'utf8') })),
  });
}

function runKilled(home: string, step: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    execFile(process.execPath, [child, home, String(step), person, text], { encoding: 'utf8' }, (_, stdout) => {
      const [, steps] = /^steps (\d+)$/m.exec(stdout) ?? [];
      resolve(steps === undefined ? undefined : Number(steps));
    });
  });
}

async function expectFinishedAfter(step: number): Promise<void> {
  const home = join(folder, `killed-${step}`);
  cpSync(base, home, { recursive: true });
  expect([step, await runKilled(home, step)]).toEqual([step, undefined]);
  const killed = await look(home);
  expect([step, killed.findings.filter(({ severity }) => severity === 'error')]).toEqual([step, []]);
  const sink = new FileAuditSink({ home, period: 'year' });
  await finishHomeChanges({ home, sink, clock });
  await sink.append({ runId: 'r', stage: 'source', type: 'run.started', at: '2026-11-22T08:00:00.000Z', data: {} });
  const [after, events] = [await look(home), await sink.read([])];
  expect([step, after.findings, toOpenHomeIntents(events)]).toEqual([step, [], []]);
  // All of what was begun, and nothing of what was not.
  const begun = (type: string): boolean => events.some((event) => event.type === `${type}.intended`);
  const stays = { log: existsSync(join(home, 'log', '2019')), person: existsSync(join(home, 'erasable', 'people', person)) };
  expect([step, stays]).toEqual([step, { log: !begun('log.deleted'), person: !begun('person.erased') }]);
  expect([step, existsSync(join(home, 'erasable', 'people', oldPerson))]).toEqual([step, !begun('log.deleted')]);
  expect([step, existsSync(join(home, 'erasable', 'texts', oldText.slice(7)))]).toEqual([step, !begun('log.deleted')]);
  expect([step, after.deleted.length, readdirSync(join(home, 'log')).filter((name) => /deleted|lock/.test(name))]).toEqual([
    ...[step, begun('log.deleted') ? 1 : 0],
    [],
  ]);
  expect([step, new Set(events.filter(({ type }) => type === 'key.recorded').map(({ data }) => data['check']))]).toEqual([
    step,
    new Set(['c1']),
  ]);
  expect([step, events.some(({ type, runId }) => type === 'staging.intended' && runId === 'r2019')]).toEqual([step, true]);
  await sink.keep('what a killed writer of texts left is gone with the next text');
  // The lock of a dead process is removed by whoever wants that lock next.
  expect([step, [...filesOf(home).keys()].filter((path) => /\.tmp$|^log\/lock\./.test(path))]).toEqual([step, []]);
  rmSync(home, { recursive: true });
}

it('a deletion and an erasure that are killed at any step are finished by the next start, and the chain is whole before and after', async () => {
  const whole = join(folder, 'whole');
  cpSync(base, whole, { recursive: true });
  const steps = (await runKilled(whole, 0)) ?? 0;
  expect(steps).toBeGreaterThan(100);
  expect(await look(whole)).toMatchObject({ findings: [], deleted: [{ size: 5, done: true }] });
  const sink = new FileAuditSink({ home: whole, period: 'year' });
  expect((await sink.read(homeChangeTypes)).map(({ type }) => type)).toEqual(
    ['log.deleted', 'person.erased', 'text.erased'].flatMap((type) => [`${type}.intended`, `${type}.done`]),
  );
  // Most steps are those of appends, which are killed at each of theirs elsewhere: two of eleven.
  const lanes = [1, 4].map(async (first) => {
    for (let step = first; step <= steps; step += 11) await expectFinishedAfter(step);
  });
  await Promise.all(lanes);
}, 240_000);
