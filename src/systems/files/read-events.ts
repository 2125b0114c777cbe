// Events out of the log's bundles, for those who go on from what happened. It believes the files: `bauta audit verify` is who does not.
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { toError } from '../../kernel/errors.js';
import { TILE, parseBundle, parseCheckpoint, parseLeaf, toCarried, toPayloadPath, toTilePath } from '../../pipeline/audit/audit.js';
import type { Event } from '../../pipeline/event.js';

/** Folders of the chain's logs, oldest first. */
export async function listLogs(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => /^\d{4}(-\d{2})?$/.test(name)).sort();
}

/**
 * The signed events of these types, oldest first; all when there are no types. What was carried out of a deleted log is read as the event that it
 * was. Throws LOG_INCONSISTENT where a file is missing or is none.
 */
export async function readEvents(folder: string, types: readonly string[] = [], logs?: readonly string[]): Promise<readonly Event[]> {
  // Most entries are of no interest, and the bytes of the type tell so before anything is parsed.
  const marks = types.map((type) => Buffer.from(`"type":${JSON.stringify(type)}`));
  const events: Event[] = [];
  for (const name of logs ?? (await listLogs(folder))) {
    const log = join(folder, name);
    try {
      for await (const bytes of readEntries(log)) {
        if (marks.length > 0 && !marks.some((mark) => bytes.includes(mark))) continue;
        const read = await readEvent(log, bytes);
        const event = read && toCarried(read);
        if (event && (types.length === 0 || types.includes(event.type))) events.push(event);
      }
    } catch {
      // Deleted meanwhile: what of it still counts stands in a later log.
      if (!(await listLogs(folder)).includes(name)) continue;
      throw toError('LOG_INCONSISTENT', { file: log });
    }
  }
  return events;
}

export async function* readEntries(log: string): AsyncGenerator<Buffer, void, undefined> {
  const size = parseCheckpoint(await readFile(join(log, 'checkpoint'), 'utf8').catch(() => ''))?.size ?? 0;
  for (let index = 0; index * TILE < size; index++) {
    const width = Math.min(TILE, size - index * TILE);
    yield* parseBundle(await readFile(join(log, toTilePath({ level: 'entries', index, width })))).entries;
  }
}

async function readEvent(log: string, bytes: Buffer): Promise<Event | undefined> {
  const leaf = parseLeaf(bytes);
  if (!leaf) return undefined;
  const data = leaf.payload
    ? (JSON.parse(await readFile(join(log, toPayloadPath(leaf.payload.digest)), 'utf8')) as Event['data'])
    : leaf.event.data;
  return { ...leaf.event, data: data ?? {} };
}
