// A chain as who goes on from it reads it: event by event up to a stated end, and the log's files as they were at that end. It believes the files;
// `verifyChain` is who does not.
import { toError } from '../../kernel/errors.js';
import type { Event, LoggedEvent } from '../event.js';
import { parseCheckpoint } from './checkpoint.js';
import { toCarried } from './deletions.js';
import { toPayloadPath } from './leaf.js';
import { type LogFiles, listLogs, readTile, toNodeAt } from './log-files.js';
import { TILE, listTiles, toBundle, toTilePath } from './tile.js';
import { toRangeDigest } from './tree.js';

/** The first `size` entries of one log, and every log before it as a whole. */
export interface LogEnd {
  readonly log: string;
  readonly size: number;
}

export interface Reading {
  readonly until?: LogEnd;
  /** Types whose data, where it lies beside the log, is read only when somebody asks for it. */
  readonly later?: ReadonlySet<string>;
}

/** What cannot be read is left out: what a broken log lacks is for the checker to say. What was carried on is read as the event that it was. */
export async function* readEntries(files: LogFiles, { until, later = new Set() }: Reading = {}): AsyncGenerator<LoggedEvent> {
  for (const log of await listLogs(files)) {
    if (until && log > until.log) return;
    const size = until && log === until.log ? until.size : await sizeOf(files, log);
    for (let bundle = 0; bundle * TILE < size; bundle++) {
      const { items } = await readBundle(files, log, bundle, size);
      for (const [i, bytes] of items.entries()) {
        const read = parse(bytes);
        if (read) yield await toLoggedEvent(files, { log, index: bundle * TILE + i }, read, later);
      }
    }
  }
}

/** After the last entry that `isOf` says yes to; undefined when there is none. From the end backwards: the end is where it mostly is. */
export async function findEnd(files: LogFiles, isOf: (event: Event) => boolean): Promise<LogEnd | undefined> {
  for (const log of (await listLogs(files)).toReversed()) {
    const size = await sizeOf(files, log);
    for (let bundle = Math.ceil(size / TILE) - 1; bundle >= 0; bundle--) {
      const { items } = await readBundle(files, log, bundle, size);
      const last = items.findLastIndex((bytes) => {
        const read = parse(bytes);
        return read !== undefined && isOf(read.event);
      });
      if (last >= 0) return { log, size: bundle * TILE + last + 1 };
    }
  }
  return undefined;
}

/** The root, in base64, that the log had when it had so many entries. */
export async function rootAt(files: LogFiles, { log, size }: LogEnd): Promise<string> {
  return (await toRangeDigest(0, size, toNodeAt(files, log, size))).toString('base64');
}

export interface CutFile {
  readonly path: string;
  readonly bytes: Buffer;
}

/** Tiles, bundles and payloads of a log as they were at `size`, by their paths within it; the checkpoint is the caller's. Throws LOG_INCONSISTENT. */
export async function* cutLog(files: LogFiles, { log, size }: LogEnd): AsyncGenerator<CutFile> {
  const payloads = new Set<string>();
  for (const tile of listTiles(size)) {
    const path = toTilePath(tile);
    const { items } = await readTile(files, log, tile);
    if (items.length < tile.width) throw toError('LOG_INCONSISTENT', { file: `${log}/${path}` });
    yield { path, bytes: tile.level === 'entries' ? toBundle(items) : Buffer.concat(items) };
    if (tile.level !== 'entries') continue;
    for (const bytes of items) {
      const payload = parse(bytes)?.payload;
      if (payload === undefined || payloads.has(payload)) continue;
      payloads.add(payload);
      const found = await files.read(`${log}/${toPayloadPath(payload)}`);
      if (!found) throw toError('LOG_INCONSISTENT', { file: `${log}/${toPayloadPath(payload)}` });
      yield { path: toPayloadPath(payload), bytes: found };
    }
  }
}

async function sizeOf(files: LogFiles, log: string): Promise<number> {
  return parseCheckpoint((await files.read(`${log}/checkpoint`))?.toString('utf8') ?? '')?.size ?? 0;
}

const readBundle = (files: LogFiles, log: string, index: number, size: number): ReturnType<typeof readTile> =>
  readTile(files, log, { level: 'entries', index, width: Math.min(TILE, size - index * TILE) });

interface Read {
  readonly event: Event;
  readonly payload: string | undefined;
}

function parse(bytes: Buffer): Read | undefined {
  try {
    const { payload, ...event } = JSON.parse(bytes.toString('utf8')) as Event & { readonly payload?: { readonly digest: string } };
    if (typeof event.type !== 'string' || typeof event.at !== 'string') return undefined;
    const digest = payload?.digest;
    if (digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(digest)) return undefined;
    return { event: { ...event, data: event.data ?? {} }, payload: digest };
  } catch {
    return undefined;
  }
}

async function toLoggedEvent(
  files: LogFiles,
  at: Pick<LoggedEvent, 'log' | 'index'>,
  { event, payload }: Read,
  later: ReadonlySet<string>,
): Promise<LoggedEvent> {
  if (payload === undefined) return { ...at, event: toCarried(event) };
  const read = async (): Promise<Event['data']> => {
    const bytes = await files.read(`${at.log}/${toPayloadPath(payload)}`);
    try {
      return JSON.parse(bytes?.toString('utf8') ?? '{}') as Event['data'];
    } catch {
      return {};
    }
  };
  if (later.has(event.type)) return { ...at, event, later: read };
  return { ...at, event: toCarried({ ...event, data: await read() }) };
}
