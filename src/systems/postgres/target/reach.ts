// Where else the server's data may be, as far as the server tells: standbys that follow it, and its archive of WAL.
import { setTimeout as sleep } from 'node:timers/promises';

import type { DropSeen } from '../../../pipeline/ports.js';
import type { Session } from './session.js';

/** A standby that is well replays in milliseconds; one that is behind is told as behind. */
const patienceMs = 2000;

/** Asked after a drop: how many standbys have replayed what was written until now. */
export async function readReach(session: Session): Promise<Omit<DropSeen, 'things'>> {
  const [facts] = await session.query<{ address: string | null; archiveMode: string; slots: number; lsn: string }>(
    `SELECT host(inet_server_addr()) || ':' || inet_server_port() AS address, current_setting('archive_mode') AS "archiveMode",
            (SELECT count(*)::int FROM pg_replication_slots WHERE slot_type = 'physical') AS slots, pg_current_wal_lsn()::text AS lsn`,
  );
  const { address = null, archiveMode = '', slots = 0, lsn = '0/0' } = facts ?? {};
  for (const until = performance.now() + patienceMs; ; await sleep(100)) {
    const { connected, seen, replayed } = await readStandbys(session, lsn);
    const late = seen && replayed < connected && performance.now() < until;
    if (!late) return { address: address ?? 'local socket', archiveMode, replicas: { connected, slots, replayed: seen ? replayed : null } };
  }
}

async function readStandbys(session: Session, lsn: string): Promise<{ connected: number; seen: boolean; replayed: number }> {
  const [row] = await session.query<{ connected: number; seen: boolean; replayed: number }>(
    // A role without pg_read_all_stats sees that somebody streams, and nothing of how far.
    `SELECT count(*)::int AS connected, coalesce(bool_and(state IS NOT NULL), true) AS seen,
            (count(*) FILTER (WHERE replay_lsn >= $1::pg_lsn))::int AS replayed FROM pg_stat_replication`,
    [lsn],
  );
  return row ?? { connected: 0, seen: false, replayed: 0 };
}
