// One writer of the audit log: copies what is committed in the outbox to audit_leaf, whose position is the index in the log, and removes it there.
// Every process may have a sequencer; the one that holds the lock works, and when its session ends another takes over.
import type { DataSource, QueryRunner } from 'typeorm';

import { type Json, toCanonicalJson } from '../../kernel/canonical-json.js';
import { digestBytes } from '../../kernel/digest.js';
import { createDataSource } from './data-source.js';

const LOCK = 'bauta sequencer';
const AT_ONCE = 500;
const IDLE_MS = 250;
const AWAY_MS = 1000;

export class Sequencer {
  private stopped = false;
  private wake: () => void = () => undefined;
  private readonly done: Promise<void>;

  /** `failed` is told of every failure by code; the sequencer goes on by itself. */
  constructor(
    private readonly url: string,
    private readonly failed: (error: unknown) => void,
  ) {
    this.done = this.work();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.wake();
    await this.done;
  }

  private async work(): Promise<void> {
    while (!this.stopped) {
      const source = createDataSource(this.url, { connections: 1 });
      try {
        await source.initialize();
        await this.hold(source);
      } catch (error) {
        this.failed(error);
        await this.pause(AWAY_MS);
      } finally {
        if (source.isInitialized) await source.destroy().catch(() => undefined);
      }
    }
  }

  /** Until stopped, or until the session is gone. */
  private async hold(source: DataSource): Promise<void> {
    const session = source.createQueryRunner();
    let holds = false;
    while (!this.stopped) {
      holds ||= await takeLock(session);
      if (!holds) await this.pause(AWAY_MS);
      else if ((await sequence(session)) < AT_ONCE) await this.pause(IDLE_MS);
    }
    await session.release();
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.stopped ? 0 : ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** A lock of the session: it goes with it, however the process ends. */
async function takeLock(session: QueryRunner): Promise<boolean> {
  const [row] = (await session.query('SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 0)) AS taken', [LOCK])) as {
    taken: boolean;
  }[];
  return row?.taken === true;
}

/** One transaction: leaves added, the same rows gone from the outbox. Returns how many. */
async function sequence(session: QueryRunner): Promise<number> {
  await session.startTransaction();
  try {
    const waiting = (await session.query('SELECT id, workspace_id, event FROM bauta.outbox ORDER BY id LIMIT $1', [AT_ONCE])) as {
      id: string;
      workspace_id: string;
      event: Json;
    }[];
    if (waiting.length > 0) {
      const leaves = waiting.map(({ workspace_id, event }) => ({ workspace_id, event, digest: digestBytes(toCanonicalJson(event)) }));
      await session.query(
        `INSERT INTO bauta.audit_leaf (position, workspace_id, event, digest)
         SELECT (SELECT coalesce(max(position) + 1, 0) FROM bauta.audit_leaf) + l.n - 1, (l.leaf ->> 'workspace_id')::uuid, l.leaf -> 'event', l.leaf ->> 'digest'
         FROM json_array_elements($1::json) WITH ORDINALITY AS l (leaf, n)`,
        [JSON.stringify(leaves)],
      );
      await session.query('DELETE FROM bauta.outbox WHERE id = ANY ($1::bigint[])', [waiting.map(({ id }) => id)]);
    }
    await session.commitTransaction();
    return waiting.length;
  } catch (error) {
    await session.rollbackTransaction().catch(() => undefined);
    throw error;
  }
}
