// An old log of the chain goes, as a whole, when its time is over: what of it still counts is carried into the open log, the intent stands there
// before a file is touched, and the outcome after. It only goes forward: what a crash cut short, the next start finishes.
import { readFile, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';

import type { Json } from '../../kernel/canonical-json.js';
import { toError } from '../../kernel/errors.js';
import { Journal, carriedTypes, homeChangeTypes, parseCheckpoint, toCarryOn, toOpenHomeIntents } from '../../pipeline/audit/audit.js';
import type { Appended, Checkpoint, Event } from '../../pipeline/event.js';
import { syncFolder } from './durable.js';
import { erase } from './erasable.js';
import { type Home, finishErasure } from './erase-entry.js';
import { listLogs, readEntries, readEvents } from './read-events.js';
import { withWriteLock } from './write-lock.js';

export interface DeleteOrder {
  /** The period that the log is named by. */
  readonly log: string;
  readonly runId: string;
  readonly actor: string;
  readonly reason: string;
  readonly retentionDays: number;
}

/** The checkpoint that the log had, and where the intent stands. */
export interface Deleted extends Checkpoint {
  readonly entry: Appended;
}

const dayMs = 86_400_000;

/**
 * Deletes the oldest log of a chain; the caller MUST have found the chain whole. Undefined when it was deleted before. Throws LOG_UNKNOWN,
 * LOG_OPEN, LOG_NOT_OLDEST, or LOG_RETAINED.
 */
export async function deleteLog(doors: Home, order: DeleteOrder): Promise<Deleted | undefined> {
  await finishHomeChanges(doors);
  return withWriteLock(doors.home, () => deleteOldest(doors, order));
}

async function deleteOldest(doors: Home, order: DeleteOrder): Promise<Deleted | undefined> {
  const folder = join(doors.home, 'log');
  const logs = await listLogs(folder);
  if (!logs.includes(order.log)) {
    const deleted = await doors.sink.read(['log.deleted.done']);
    if (deleted.some(({ data }) => basename(data['origin'] as string) === order.log)) return undefined;
    throw toError('LOG_UNKNOWN', { name: order.log, expected: logs.join(', ') });
  }
  if (order.log === logs.at(-1)) throw toError('LOG_OPEN', { file: order.log });
  if (order.log !== logs[0]) throw toError('LOG_NOT_OLDEST', { file: order.log, expected: logs[0] });
  const checkpoint = parseCheckpoint(await readFile(join(folder, order.log, 'checkpoint'), 'utf8'));
  const [closed] = await readEvents(folder, ['log.closed'], [order.log]);
  if (!checkpoint || !closed) throw toError('LOG_INCONSISTENT', { file: join(folder, order.log) });
  const until = Date.parse(closed.at) + order.retentionDays * dayMs;
  if (!(doors.clock.now() >= until))
    throw toError('LOG_RETAINED', { file: order.log, expected: new Date(until).toISOString(), amount: `${order.retentionDays} days` });
  const journal = new Journal(doors.sink, doors.clock, order.runId);
  await carry(folder, order.log, logs.slice(1), checkpoint.origin, journal);
  const { actor, reason, retentionDays } = order;
  const { origin, size, root } = checkpoint;
  const data = { origin, size, root, closedAt: closed.at, retentionDays, actor, reason };
  const entry = await journal.append('audit', 'log.deleted.intended', data);
  await finishDeletion(doors, journal, checkpoint);
  return { origin, size, root, entry };
}

/**
 * What was begun and not told to be done, because the process that began it died. `read`: events of these types that the caller has read already.
 * Throws AUDIT_LOCKED while another process is at it.
 */
export async function finishHomeChanges(doors: Home, read?: readonly Event[]): Promise<void> {
  if (toOpenHomeIntents(read ?? (await doors.sink.read(homeChangeTypes))).length === 0) return;
  await withWriteLock(doors.home, async () => {
    for (const { change, event } of toOpenHomeIntents(await doors.sink.read(homeChangeTypes))) {
      const journal = new Journal(doors.sink, doors.clock, event.runId);
      if (change === 'log.deleted') await finishDeletion(doors, journal, event.data as unknown as Checkpoint);
      else await finishErasure(doors, journal, change, event.data['of'] as string);
    }
  });
}

/** The texts first, because the log says which; then the log's name, in one step; then its files. */
async function finishDeletion({ home }: Home, journal: Journal, { origin, size, root }: Checkpoint): Promise<void> {
  const [folder, name] = [join(home, 'log'), basename(origin)];
  const [log, doomed] = [join(folder, name), join(folder, `deleted-${name}`)];
  const logs = await listLogs(folder);
  if (logs.includes(name)) {
    const there = parseCheckpoint(await readFile(join(log, 'checkpoint'), 'utf8').catch(() => ''));
    if (there?.origin !== origin || there.size !== size || there.root !== root) throw toError('LOG_INCONSISTENT', { file: log });
    await eraseUnreferenced(home, name, logs);
    await rename(log, doomed);
    await syncFolder(folder);
  }
  await rm(doomed, { recursive: true, force: true });
  await syncFolder(folder);
  await journal.append('audit', 'log.deleted.done', { origin, size, root });
}

/** Entries that a later run goes by: unless the remaining logs have them, too. */
async function carry(folder: string, log: string, remaining: readonly string[], origin: string, journal: Journal): Promise<void> {
  const old = await readEvents(folder, carriedTypes, [log]);
  const kept = await readEvents(folder, carriedTypes, remaining);
  for (const event of toCarryOn(old, kept)) await journal.append('audit', 'log.carried', { origin, event: event as unknown as Json });
}

/** Texts and people that no other log speaks of have no reason to be there any more. */
async function eraseUnreferenced(home: string, log: string, logs: readonly string[]): Promise<void> {
  const folder = join(home, 'log');
  const gone = await readReferences(join(folder, log));
  for (const name of logs.filter((one) => one !== log)) for (const path of await readReferences(join(folder, name))) gone.delete(path);
  await erase(join(home, 'erasable'), [...gone]);
}

async function readReferences(log: string): Promise<Set<string>> {
  const found = new Set<string>();
  const look = (bytes: Buffer): void => {
    const text = bytes.toString('latin1');
    for (const [, digest] of text.matchAll(/\{"committed":"sha256:([0-9a-f]{64})"\}/g)) found.add(`texts/${digest}`);
    for (const [, id] of text.matchAll(/"(p-[0-9a-f]{16})"/g)) found.add(`people/${id}`);
  };
  for await (const entry of readEntries(log)) look(entry);
  const payloads = join(log, 'payload');
  for (const name of await readdir(payloads).catch(() => [])) look(await readFile(join(payloads, name)));
  return found;
}
