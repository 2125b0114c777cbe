// Who is at work on a target is who holds its lock. Advisory locks live in one database and go with their session: nothing is left of a dead run.
import { setTimeout as sleep } from 'node:timers/promises';

import { BautaError, toError } from '../../../kernel/errors.js';
import { type LockKind, toLockKey } from './names.js';
import type { Session } from './session.js';

const goneWithinMs = 5000;

/** Takes a session-level advisory lock; false when somebody else holds it. It goes with the session. */
export async function tryLock(session: Session, kind: LockKind, name: string): Promise<boolean> {
  const [row] = await session.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1::int8) AS taken', [toLockKey(kind, name)]);
  return row?.taken === true;
}

export async function unlock(session: Session, kind: LockKind, name: string): Promise<void> {
  await session.query('SELECT pg_advisory_unlock($1::int8)', [toLockKey(kind, name)]);
}

/** Ends a session that holds locks. They are free when it resolves, and not a moment later, as when a session just ends. */
export async function release(session: Session): Promise<void> {
  if (!session.lost) await session.query('SELECT pg_advisory_unlock_all()').catch(() => undefined);
  await session.end();
}

/** Waits for it, no longer than the session's lock_timeout. It goes with the session. */
export async function waitForLock(session: Session, kind: LockKind, name: string): Promise<void> {
  await session.query('SELECT pg_advisory_lock($1::int8)', [toLockKey(kind, name)]);
}

/** Throws TARGET_BUSY while another run or a roll-back holds the target. */
export async function lockTarget(session: Session, target: string): Promise<void> {
  if (!(await tryLock(session, 'target', target))) throw toError('TARGET_BUSY', { stage: 'deliver', name: target });
}

/** The same once those who are gone are gone at the server too: a session that was cut ends a moment later. Throws TARGET_BUSY. */
export async function lockAfter(session: Session, target: string, runId: string): Promise<void> {
  for (const startedAt = performance.now(); ; await sleep(100)) {
    try {
      return await lockForRun(session, target, runId);
    } catch (error) {
      if (!(error instanceof BautaError) || error.code !== 'TARGET_BUSY' || performance.now() - startedAt > goneWithinMs) throw error;
      // Both or none: the next try takes them anew.
      await unlock(session, 'target', target);
    }
  }
}

/** Throws TARGET_BUSY while the target or the run is somebody else's. */
export async function lockForRun(session: Session, target: string, runId: string): Promise<void> {
  await lockTarget(session, target);
  if (!(await tryLock(session, 'run', runId))) throw toError('TARGET_BUSY', { stage: 'deliver', name: target });
}

/** Those of the runs that may still be at work: all of them while somebody has the target. The locks taken to ask go with the session. */
export async function findAlive(session: Session, target: string, runIds: readonly string[]): Promise<ReadonlySet<string>> {
  if (!(await tryLock(session, 'target', target))) return new Set(runIds);
  const alive = new Set<string>();
  for (const runId of new Set(runIds)) if (!(await tryLock(session, 'run', runId))) alive.add(runId);
  return alive;
}
