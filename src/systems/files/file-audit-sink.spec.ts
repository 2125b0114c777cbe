import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from '@jest/globals';

import { openNote, parseVerifierKey } from '../../kernel/signed-note.js';
import { openCheckpoint } from '../../pipeline/audit/audit.js';
import type { Appended, Event } from '../../pipeline/event.js';
import { findChangedTexts } from './erasable.js';
import { FileAuditSink, type LogPeriod } from './file-audit-sink.js';
import { readEvents } from './read-events.js';
import { withWriteLock } from './write-lock.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'bauta-test-'));
});
afterEach(() => rmSync(home, { recursive: true }));

const event = (type: string, at = '2026-01-01T00:00:00.000Z', data: Event['data'] = { b: 1, a: [null, 'x'] }): Event => ({
  ...{ runId: 'r1', stage: 'deliver', type, at, data },
});
const open = (period: LogPeriod = 'year'): FileAuditSink => new FileAuditSink({ home, period });
const log = (...path: string[]): string => join(home, 'log', ...path);
const types = async (): Promise<string[]> => (await readEvents(log())).map(({ type }) => type);

async function append(period: LogPeriod, ...events: Event[]): Promise<Appended[]> {
  const sink = open(period);
  const appended: Appended[] = [];
  for (const one of events) appended.push(await sink.append(one));
  await sink.close();
  return appended;
}

it('appends canonical entries in the layout of tlog-tiles, under a checkpoint that its public key opens', async () => {
  const [first, second] = await append('year', event('first'), event('second'));
  expect([first?.index, second?.index]).toEqual([1, 2]);
  expect(await types()).toEqual(['log.opened', 'first', 'second']);
  expect(readFileSync(log('2026', 'tile', 'entries', '000.p', '3'), 'latin1')).toContain(
    '{"at":"2026-01-01T00:00:00.000Z","data":{"a":[null,"x"],"b":1},"runId":"r1","stage":"deliver","type":"first"}',
  );
  const verifier = parseVerifierKey(readFileSync(join(home, 'log.pub'), 'utf8'))!;
  expect(openCheckpoint(readFileSync(log('2026', 'checkpoint'), 'utf8'), [verifier])).toEqual({ checkpoint: second?.checkpoint });
  expect(second?.checkpoint).toMatchObject({ origin: `${verifier.name}/2026`, size: 3 });
  for (const path of [log(), log('2026', 'checkpoint'), join(home, 'keys', 'log.key')]) expect(statSync(path).mode & 0o077).toBe(0);
});

it('leaves only the last unfinished tiles behind, and goes on over many of them', async () => {
  const sink = open();
  await Promise.all(Array.from({ length: 700 }, (_, i) => sink.append(event(`e${i}`))));
  const { index, checkpoint } = await sink.append(event('last'));
  await sink.close();
  expect([index, checkpoint.size]).toEqual([701, 702]);
  const files = (readdirSync(log('2026'), { recursive: true }) as string[]).filter((path) => statSync(log('2026', path)).isFile());
  expect(files.sort()).toEqual(
    [
      'checkpoint',
      ...['0', 'entries'].flatMap((level) => ['000', '001', '002.p/190'].map((name) => `tile/${level}/${name}`)),
      'tile/1/000.p/2',
    ].sort(),
  );
  expect((await append('year', event('again')))[0]?.index).toBe(702);
  expect(await types()).toHaveLength(703);
});

it('puts data of more than 16 KB into a file whose digest the entry holds', async () => {
  const data = { text: 'é'.repeat(10_000) };
  await append('year', event('big', undefined, data));
  expect(statSync(log('2026', 'tile', 'entries', '000.p', '2')).size).toBeLessThan(1000);
  expect(readdirSync(log('2026', 'payload'))).toHaveLength(1);
  expect((await readEvents(log(), ['big']))[0]).toEqual(event('big', undefined, data));
});

it('signs other texts with the key of the log, and none that could be taken for a checkpoint', async () => {
  const sink = open();
  await sink.append(event('one'));
  const note = await sink.sign('a text\n');
  const verifier = parseVerifierKey(readFileSync(join(home, 'log.pub'), 'utf8'))!;
  expect(openNote(note, [verifier])).toMatchObject({ text: 'a text\n', signedBy: [verifier] });
  const { checkpoint } = await sink.append(event('two'));
  await expect(sink.sign(`${checkpoint.origin}\n${checkpoint.size + 1}\n${checkpoint.root}\n`)).rejects.toMatchObject({
    code: 'UNEXPECTED',
  });
  await sink.close();
});

it('reads the events of the asked types only', async () => {
  await append('year', event('one'), event('two', undefined, { type: 'one' }), event('one'));
  expect(await open().read(['one'])).toEqual([event('one'), event('one')]);
});

it('ends a log with its period; the next begins with the checkpoint that ended it, and a clock set back changes nothing', async () => {
  const [before, after, back] = await append(
    'year',
    event('before', '2026-12-31T23:59:59.999Z'),
    event('after', '2027-01-01T00:00:00.000Z'),
    event('back', '2026-12-31T23:59:59.999Z'),
  );
  expect([before, after, back].map((one) => [one?.checkpoint.origin.slice(-4), one?.index])).toEqual([
    ['2026', 1],
    ['2027', 1],
    ['2027', 2],
  ]);
  const events = await readEvents(log());
  expect(events.map(({ type }) => type)).toEqual(['log.opened', 'before', 'log.closed', 'log.opened', 'after', 'back']);
  expect(events[3]?.data).toEqual({ previous: readFileSync(log('2026', 'checkpoint'), 'utf8') });
});

it('goes on after a crash between the end of a log and the beginning of the next', async () => {
  await append('month', event('before', '2026-11-30T00:00:00.000Z'), event('after', '2026-12-01T00:00:00.000Z'));
  rmSync(log('2026-12', 'checkpoint'));
  rmSync(join(home, 'keys', 'log.last'));
  expect((await append('month', event('late', '2026-11-30T00:00:00.000Z')))[0]).toMatchObject({ index: 1 });
  expect(await types()).toEqual(['log.opened', 'before', 'log.closed', 'log.opened', 'late']);
});

it('writes over what a crash left behind the checkpoint', async () => {
  await append('year', event('one'), event('two'));
  cpSync(log('2026', 'checkpoint'), join(home, 'kept'));
  cpSync(log('2026', 'tile', '0', '000.p'), join(home, 'tile'), { recursive: true });
  cpSync(log('2026', 'tile', 'entries', '000.p'), join(home, 'entries'), { recursive: true });
  await append('year', event('torn'));
  rmSync(join(home, 'keys', 'log.last'));
  cpSync(join(home, 'kept'), log('2026', 'checkpoint'));
  cpSync(join(home, 'tile'), log('2026', 'tile', '0', '000.p'), { recursive: true });
  cpSync(join(home, 'entries'), log('2026', 'tile', 'entries', '000.p'), { recursive: true });
  expect((await append('year', event('instead')))[0]?.index).toBe(3);
  expect(await types()).toEqual(['log.opened', 'one', 'two', 'instead']);
});

it('signs no log that is behind what it signed last, and none that is another', async () => {
  await append('year', event('one'));
  cpSync(log(), join(home, 'older'), { recursive: true });
  await append('year', event('two'));
  cpSync(log(), join(home, 'newer'), { recursive: true });
  const put = (name: string): void => {
    rmSync(log(), { recursive: true });
    if (name) cpSync(join(home, name), log(), { recursive: true });
  };
  put('older');
  await expect(append('year', event('three'))).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK' });
  put('');
  await expect(append('year', event('three'))).rejects.toMatchObject({ code: 'LOG_ROLLED_BACK' });
  // Whoever has the key writes another history: longer, signed, and not what was signed before.
  put('older');
  const last = readFileSync(join(home, 'keys', 'log.last'));
  rmSync(join(home, 'keys', 'log.last'));
  await append('year', event('other two'), event('other three'));
  writeFileSync(join(home, 'keys', 'log.last'), last);
  await expect(append('year', event('four'))).rejects.toMatchObject({ code: 'LOG_FORKED' });
  put('newer');
  expect((await append('year', event('three')))[0]?.index).toBe(3);
});

it('appends nothing to a log whose files are not what was signed, or with a key that did not sign it', async () => {
  await append('year', event('one'));
  const path = log('2026', 'tile', 'entries', '000.p', '2');
  const bytes = readFileSync(path);
  bytes[bytes.length - 3]! ^= 1;
  writeFileSync(path, bytes);
  await expect(append('year', event('two'))).rejects.toMatchObject({ code: 'LOG_INCONSISTENT' });
  bytes[bytes.length - 3]! ^= 1;
  writeFileSync(path, bytes);
  rmSync(join(home, 'keys', 'log.key'));
  await expect(append('year', event('two'))).rejects.toMatchObject({ code: 'LOG_KEY_MISSING' });
});

it('says that the log cannot be written instead of going on without it', async () => {
  writeFileSync(log(), '');
  await expect(append('year', event('one'))).rejects.toMatchObject({ code: 'AUDIT_UNWRITABLE' });
});

it('lets two writers take turns, so that both histories are one', async () => {
  const [one, two] = [open(), open()];
  const indexes = await Promise.all(
    Array.from({ length: 40 }, (_, i) => (i % 2 ? one : two).append(event(`e${i}`)).then(({ index }) => index)),
  );
  expect([...indexes].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
});

it('waits for a living owner of the lock, gives up with its name, and takes no notice of a dead one', async () => {
  mkdirSync(log());
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const owner = withWriteLock(log(), () => held);
  while (readdirSync(log()).length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await expect(withWriteLock(log(), () => Promise.resolve(), 200)).rejects.toMatchObject({
    code: 'AUDIT_LOCKED',
    where: { file: expect.stringContaining(`.${process.pid}.`) },
  });
  release();
  await owner;
  const mine = readdirSync(log());
  expect(mine).toEqual([]);
  // Process ids end at 2^22: nobody has this one. And one that lives, but was started at another time.
  const [, machine, boot] = await withWriteLock(log(), () => Promise.resolve(readdirSync(log())[0]!.split('.')));
  writeFileSync(log(`lock.${machine}.${boot}.4194399.77.00000000`), '');
  writeFileSync(log(`lock.${machine}.${boot}.${process.pid}.77.00000000`), '');
  // Written before the machine was started again, under an id that a living process has now.
  writeFileSync(log(`lock.${machine}.${'0'.repeat(8)}.${process.pid}.0.00000000`), '');
  await withWriteLock(log(), () => Promise.resolve());
  expect(readdirSync(log())).toEqual([]);
});

it('keeps a text under a salted commitment and a person under a random id, both to be erased without the log', async () => {
  const sink = open();
  const [one, two] = [await sink.keep('Ada asked'), await sink.keep('Ada asked')];
  expect(one).not.toBe(two);
  expect(await findChangedTexts(join(home, 'erasable'))).toEqual([]);
  const [ada, again, bob] = [await sink.identify('ada'), await sink.identify('ada'), await sink.identify('bob')];
  expect([ada === again, ada === bob]).toEqual([true, false]);
  rmSync(join(home, 'erasable', 'people', ada));
  expect(await sink.identify('ada')).not.toBe(ada);
  // What a writer leaves that is killed before its rename: it holds the name, and is neither an id nor there for long.
  writeFileSync(join(home, 'erasable', 'people', 'p-0011223344556677.001122334455.tmp'), 'carol\n');
  expect(await sink.identify('carol')).toMatch(/^p-[0-9a-f]{16}$/);
  expect(readdirSync(join(home, 'erasable', 'people')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  const file = join(home, 'erasable', 'texts', one.slice(7));
  writeFileSync(file, readFileSync(file, 'utf8').replace('Ada', 'Eve'));
  expect(await findChangedTexts(join(home, 'erasable'))).toEqual([one.slice(7)]);
  rmSync(file);
  expect(await findChangedTexts(join(home, 'erasable'))).toEqual([]);
});
