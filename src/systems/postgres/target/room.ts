// Is there room for one more copy? A server tells nobody how much its disk has left. Two things can be known: what the document allows the
// target's databases together, and, where the server runs on this machine and shows us its folder, what is free there.
import { statfs } from 'node:fs/promises';

import { toError } from '../../../kernel/errors.js';
import { isLoopback } from '../tls.js';
import { readDatabases } from './databases.js';
import { findOwnName } from './names.js';
import type { Session, TargetServer } from './session.js';

/** Throws TARGET_NO_ROOM. */
export async function requireRoom(server: TargetServer, session: Session, bytes: number, megabytes: number | undefined): Promise<void> {
  const free = await findRoom(server, session, megabytes);
  if (free !== undefined && free < bytes)
    throw toError('TARGET_NO_ROOM', { stage: 'deliver', name: server.target, expected: toMegabytes(bytes), amount: toMegabytes(free) });
}

export const toMegabytes = (bytes: number): string => `${Math.max(0, Math.ceil(bytes / 1_000_000))} MB`;

/** Undefined: nothing is known. */
export async function findRoom(server: TargetServer, session: Session, megabytes: number | undefined): Promise<number | undefined> {
  const allowed = megabytes === undefined ? Infinity : megabytes * 1_000_000 - (await readBytes(server, session));
  const free = Math.min(allowed, (await findFree(server, session)) ?? Infinity);
  return Number.isFinite(free) ? free : undefined;
}

/** Of all databases of the target. A template says its own: asking the server takes the right to connect. */
async function readBytes({ target }: TargetServer, session: Session): Promise<number> {
  const sizes = await session.query<{ name: string; bytes: string | null }>(
    `SELECT datname AS name, CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
                                  THEN pg_database_size(oid) END::text AS bytes FROM pg_database`,
  );
  const bytesOf = new Map(sizes.map(({ name, bytes }) => [name, bytes === null ? undefined : Number(bytes)]));
  let sum = 0;
  for (const { name, ours, ownerOurs } of await readDatabases(session)) {
    const clone = findOwnName(name)?.form === 'clone' && ownerOurs?.target === target ? ownerOurs.clone : undefined;
    if (ours?.target === target || clone) sum += bytesOf.get(name) ?? ours?.bytes ?? clone?.bytes ?? 0;
  }
  return sum;
}

async function findFree({ connection }: TargetServer, session: Session): Promise<number | undefined> {
  if (!isLoopback(new URL(connection.url).hostname.replace(/^\[|\]$/g, ''))) return undefined;
  // No row where the login may not see it (pg_read_all_settings).
  const [folder] = await session.query<{ path: string }>(`SELECT setting AS path FROM pg_settings WHERE name = 'data_directory'`);
  if (!folder) return undefined;
  // The server may be in a container of its own: then there is no such folder here.
  const found = await statfs(folder.path).catch(() => undefined);
  return found && found.bavail * found.bsize;
}
