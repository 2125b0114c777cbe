// The outbox becomes the log: every committed event once, none of a transaction that was rolled back, no gap, each covered by a signature, and no two
// signatures of one size, whoever sequences and whoever is killed; and who finds another database than the one that was signed signs nothing.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { parseSettings } from '../../src/config/settings.js';
import { openLogKeys } from '../../src/control/log-keys.js';
import { OutboxSink } from '../../src/control/runs/outbox-sink.js';
import { parseCheckpoint, verifyChain } from '../../src/pipeline/audit/audit.js';
import { Metadata, Sequencer } from '../../src/systems/metadata/metadata.js';
import { type TestServer, startTestServer } from '../support/server.js';
import { prepareMetadata } from '../support/service.js';

const KILLS = 12;
const child = fileURLToPath(new URL('../fault/sequencing.child.js', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'bauta-sequenced-'));
let server: TestServer;
let urls: Awaited<ReturnType<typeof prepareMetadata>>;
let metadata: Metadata;
let workspace = '';
const children = new Set<ChildProcess>();
beforeAll(async () => {
  server = await startTestServer();
  urls = await prepareMetadata(server, 'metadata');
  metadata = await Metadata.open(urls.service, 5);
  workspace = String((await server.sql('metadata', 'SELECT id FROM bauta.workspace'))[0]?.['id']);
});
afterAll(async () => {
  for (const one of children) await end(one, 'SIGKILL');
  await metadata.close();
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

function begin(): Promise<ChildProcess> {
  const started = spawn(process.execPath, [child, urls.sequencer, home], { stdio: ['ignore', 'pipe', 'ignore'] });
  children.add(started);
  return new Promise((resolve) => started.stdout.once('data', () => resolve(started)));
}

async function end(one: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  children.delete(one);
  const closed = new Promise((resolve) => one.once('close', resolve));
  one.kill(signal);
  await closed;
}

async function write(from: number, to: number): Promise<void> {
  const one = (n: number): Promise<void> =>
    metadata
      .within(workspace, async (transaction) => {
        await transaction.audit({
          type: 'test.happened',
          at: '2026-01-01T00:00:00.000Z',
          data: { n, ...(n % 50 === 1 ? { long: 'x'.repeat(17_000) } : {}) },
        });
        if (n % 5 === 0) throw new Error('rolled back');
      })
      .catch(() => undefined);
  await Promise.all(Array.from({ length: to - from }, (_, i) => one(from + i)));
}

async function until(holds: () => Promise<boolean>, ms: number): Promise<number> {
  const startedAt = performance.now();
  while (!(await holds())) {
    if (performance.now() - startedAt > ms) throw new Error(`did not come within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return performance.now() - startedAt;
}

const drained = async (): Promise<boolean> => (await server.sql('metadata', 'SELECT FROM bauta.outbox')).length === 0;

/** The chain is whole for whoever kept any checkpoint that was ever signed; gives the numbers of the events in the order of the log. */
async function look(): Promise<number[]> {
  const notes = await server.sql('metadata', `SELECT note FROM bauta.audit_checkpoint ORDER BY log, size`);
  const known = notes.map(({ note }, i) => ({ name: `signed ${i}`, note: String(note) }));
  return metadata.within(workspace, async ({ log }) => {
    const verifier = (await log.verifier())!;
    const report = await verifyChain(log.files(), { verifier, known });
    expect(report.findings).toEqual([]);
    const sizes = known.map(({ note }) => parseCheckpoint(note)!.size);
    expect(new Set(sizes).size).toBe(sizes.length);
    const entries = await log.entries((await log.logs())[0]!.name, 10_000);
    expect(entries.map(({ index }) => index)).toEqual(entries.map((_, i) => i));
    expect(report.checkpoint?.size).toBe(entries.length);
    return entries.flatMap(({ event }) => (event.type === 'test.happened' ? Number(event.data['n']) : []));
  });
}

const committed = (to: number): number[] => Array.from({ length: to }, (_, n) => n).filter((n) => n % 5 !== 0);
const observer = { tell: (): void => undefined };
const sorted = (numbers: readonly number[]): number[] => [...numbers].sort((a, b) => a - b);

it(`gives every committed event one signed place, without a gap or a fork, though ${KILLS} sequencers are killed at any moment`, async () => {
  const living = [await begin(), await begin()];
  const writing = write(0, 200);
  for (let kill = 0; kill < KILLS; kill++) {
    await Promise.all([write(200 + kill * 50, 250 + kill * 50), new Promise((resolve) => setTimeout(resolve, randomInt(0, 120)))]);
    await end(living.shift()!, 'SIGKILL');
    living.push(await begin());
  }
  await writing;
  const took = await until(drained, 10_000);
  process.stderr.write(`drained ${Math.round(took)} ms after the last was killed\n`);
  expect(sorted(await look())).toEqual(committed(200 + KILLS * 50));
  for (const one of living) await end(one, 'SIGTERM');
}, 120_000);

it('is taken over within five seconds from a holder that was killed, and from one that hangs, which signs nothing when it wakes', async () => {
  const before = (await look()).length;
  const holder = await begin();
  await write(10_001, 10_003);
  await until(drained, 10_000);
  const other = await begin();
  await new Promise((resolve) => setTimeout(resolve, 300));
  holder.kill('SIGSTOP');
  await write(10_003, 10_005);
  expect(await until(drained, 10_000)).toBeLessThan(5500);
  holder.kill('SIGCONT');
  await write(10_006, 10_008);
  await until(drained, 10_000);
  await end(other, 'SIGKILL');
  await write(10_008, 10_010);
  expect(await until(drained, 10_000)).toBeLessThan(5000);
  expect((await look()).length).toBe(before + 8);
  await end(holder, 'SIGTERM');
}, 60_000);

it('tells who appends where the entry stands once it is signed, and who waits too long that it is not', async () => {
  const event = { runId: 'r1', stage: 'gate', type: 'test.asked', at: '2026-01-01T00:00:00.000Z', data: { half: '\ud800' } } as const;
  await expect(new OutboxSink(metadata, workspace, observer, 200).append(event)).rejects.toMatchObject({ code: 'LOG_NOT_SEQUENCED' });
  const running = await begin();
  const sink = new OutboxSink(metadata, workspace, observer);
  const { index, checkpoint } = await sink.append({ ...event, data: {} });
  expect(checkpoint.size).toBeGreaterThan(index);
  const [found] = await metadata.within(workspace, ({ log }) => log.entries(checkpoint.origin.slice(-4), 1, index - 1));
  expect(found).toEqual({ index, event: { ...event, data: {} } });
  // What no intent in the log announces is not signed, and what looks like a checkpoint never.
  for (const text of ['bauta dataset marker v1\n{}\n', `${checkpoint.origin}\n${checkpoint.size + 1}\n${checkpoint.root}\n`])
    await expect(sink.sign(text)).rejects.toMatchObject({ code: 'LOG_SIGNATURE_REFUSED' });
  await end(running, 'SIGTERM');
  await look();
}, 60_000);

it('goes on with the next log of the chain when the period ends, and with none before it', async () => {
  const settings = { BAUTA_HOME: home, BAUTA_LOG_PERIOD: 'month' };
  const sequencer = new Sequencer(urls.sequencer, await openLogKeys(parseSettings(settings), {}), () => undefined);
  await write(20_001, 20_003);
  await until(drained, 10_000);
  await sequencer.stop();
  const year = await begin();
  await write(20_003, 20_005);
  await until(drained, 10_000);
  await end(year, 'SIGTERM');
  await metadata.within(workspace, async ({ log }) => {
    const names = (await log.logs()).map(({ name }) => name);
    expect(names).toEqual([expect.stringMatching(/^\d{4}$/), expect.stringMatching(/^\d{4}-\d\d$/)]);
    const verifier = (await log.verifier())!;
    expect((await verifyChain(log.files(), { verifier, known: [] })).findings).toEqual([]);
    expect((await log.entries(names[1]!, 10)).map(({ event }) => event.type)).toEqual([
      'log.opened',
      ...Array<string>(4).fill('test.happened'),
    ]);
  });
});

it('signs nothing with another key, after an older database was put back, or over a leaf that was changed', async () => {
  const refusalOf = async (at: string): Promise<string> => {
    const keys = await openLogKeys(parseSettings({ BAUTA_HOME: at }), {});
    let code = '';
    const sequencer = new Sequencer(urls.sequencer, keys, (error) => (code = (error as { code: string }).code));
    await until(() => Promise.resolve(code !== ''), 10_000);
    await sequencer.stop();
    return code;
  };
  await write(30_001, 30_002);
  const count = async (): Promise<unknown> => (await server.sql('metadata', 'SELECT count(*) AS n FROM bauta.audit_checkpoint'))[0]?.['n'];
  const before = await count();
  expect(await refusalOf(mkdtempSync(join(home, 'other-')))).toBe('LOG_KEY_CHANGED');
  const newest = `log = (SELECT max(log COLLATE "C") FROM bauta.audit_leaf) AND`;
  const [leaf] = await server.sql('metadata', `SELECT encode(digest, 'hex') AS hex FROM bauta.audit_leaf WHERE ${newest} position = 2`);
  await server.sql('metadata', `UPDATE bauta.audit_leaf SET digest = sha256('x') WHERE ${newest} position = 2`);
  expect(await refusalOf(home)).toBe('LOG_INCONSISTENT');
  await server.sql(
    'metadata',
    `UPDATE bauta.audit_leaf SET digest = decode('${String(leaf?.['hex'])}', 'hex') WHERE ${newest} position = 2`,
  );
  expect(await count()).toBe(before);
  // As of the checkpoint before the last.
  await server.sql(
    'metadata',
    `DELETE FROM bauta.audit_checkpoint WHERE ${newest} size = 5; DELETE FROM bauta.audit_leaf WHERE ${newest} position >= 3`,
  );
  expect(await refusalOf(home)).toBe('LOG_ROLLED_BACK');
  expect(await drained()).toBe(false);
}, 60_000);
