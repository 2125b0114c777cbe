// What a home's log holds, for tests that look at it while nobody awaits: the sink's own reader, and the bytes as text to search in.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { Finding } from '../../src/kernel/errors.js';
import { parseVerifierKey } from '../../src/kernel/signed-note.js';
import {
  parseBundle,
  parseCheckpoint,
  parseLeaf,
  toOpenIntents,
  toPayloadPath,
  toTilePath,
  verifyChain,
} from '../../src/pipeline/audit/audit.js';
import type { Event } from '../../src/pipeline/event.js';
import { openLogFiles } from '../../src/systems/files/files.js';

/** Every event of every log of the chain, oldest first; the log's own (`log.opened`, `log.closed`) are left out. */
export function eventsOf(home: string): Event[] {
  const folder = join(home, 'log');
  const logs = existsSync(folder) ? readdirSync(folder).filter((name) => /^\d{4}/.test(name)) : [];
  return logs
    .sort()
    .flatMap((name) => entriesOf(join(folder, name)))
    .filter(({ type }) => type !== 'log.opened' && type !== 'log.closed');
}

export function entriesOf(log: string): Event[] {
  const { size } = parseCheckpoint(readFileSync(join(log, 'checkpoint'), 'utf8'))!;
  const events: Event[] = [];
  for (let index = 0; index * 256 < size; index++) {
    const path = toTilePath({ level: 'entries', index, width: Math.min(256, size - index * 256) });
    for (const bytes of parseBundle(readFileSync(join(log, path))).entries) {
      const { event, payload } = parseLeaf(bytes)!;
      const data = payload ? (JSON.parse(readFileSync(join(log, toPayloadPath(payload.digest)), 'utf8')) as Event['data']) : event.data!;
      events.push({ ...event, data });
    }
  }
  return events;
}

/** Path below the folder → bytes, of every file. */
export function filesOf(folder: string): Map<string, Buffer> {
  const paths = (readdirSync(folder, { recursive: true }) as string[]).filter((path) => statSync(join(folder, path)).isFile());
  return new Map(paths.sort().map((path) => [path, readFileSync(join(folder, path))]));
}

/** All that stands in a home's log, as one text. */
export function logTextOf(home: string): string {
  return [...filesOf(join(home, 'log')).values()].map((bytes) => bytes.toString('latin1')).join('\n');
}

/** What an auditor finds wrong with a home's log, its own key and last checkpoint known; and the changes of the world that it leaves open. */
export async function faultsOf(home: string): Promise<{ findings: readonly Finding[]; open: readonly string[] }> {
  const known = [{ name: 'last', note: readFileSync(join(home, 'keys', 'log.last'), 'utf8') }];
  const verifier = parseVerifierKey(readFileSync(join(home, 'log.pub'), 'utf8'))!;
  const { findings } = await verifyChain(openLogFiles(join(home, 'log')), { verifier, known });
  return { findings, open: toOpenIntents(eventsOf(home)).map(({ event }) => event.type) };
}
