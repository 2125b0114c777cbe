// The watcher: a connection of its own that looks, again and again, at what the source has to bear, and ends the reading when it is too much.
import type pg from 'pg';

import type { Clock } from '../../../kernel/clock.js';
import { type BautaError, toError } from '../../../kernel/errors.js';
import { toServerError } from '../server-error.js';
import { endSession, terminateBackends } from './session.js';
import type { SourceSettings } from './source-settings.js';

export interface WatchOptions {
  readonly client: pg.Client;
  readonly connection: string;
  readonly settings: SourceSettings;
  readonly clock: Clock;
  /** When the snapshot was taken, at the latest. */
  readonly startedAt: number;
  /** Backends whose locks count as ours. */
  readonly pids: () => readonly number[];
}

export class Watch {
  /** Rejects once, with the first budget that was exceeded or the first connection that was lost. */
  readonly exceeded: Promise<never>;
  #failure: BautaError | undefined;
  #longestBlockedMs = 0;
  #lagBytes: number | null = null;
  #lagReadable = true;
  #stopped = false;
  #wake: (() => void) | undefined;
  #reject!: (cause: BautaError) => void;
  readonly #options: WatchOptions;
  readonly #loop: Promise<void>;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.exceeded = new Promise<never>((_, reject) => (this.#reject = reject));
    // A caller that does not look must not end the process; `failure` says the same to every reader.
    this.exceeded.catch(() => undefined);
    this.#loop = this.#run();
  }

  get failure(): BautaError | undefined {
    return this.#failure;
  }

  usage(): { readonly snapshotAgeMs: number; readonly longestBlockedMs: number; readonly replicationLagBytes: number | null } {
    return {
      snapshotAgeMs: this.#options.clock.now() - this.#options.startedAt,
      longestBlockedMs: this.#longestBlockedMs,
      replicationLagBytes: this.#lagBytes,
    };
  }

  fail(cause: BautaError): void {
    if (this.#failure || this.#stopped) return;
    this.#failure = cause;
    this.#reject(cause);
  }

  /** Ends other backends of ours. A role may always signal its own. */
  async terminate(pids: readonly number[]): Promise<void> {
    await terminateBackends(this.#options.client, pids);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await endSession(this.#options.client);
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (!this.#stopped && !this.#failure) {
      try {
        await this.#look();
      } catch (cause) {
        // Unable to look means unable to keep the promise to the source.
        this.fail(toServerError(cause, { connection: this.#options.connection, stage: 'extract' }));
      }
      if (this.#stopped || this.#failure) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#options.settings.watchEveryMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async #look(): Promise<void> {
    const { settings } = this.#options;
    const blockedMs = await this.#readBlockedMs();
    this.#longestBlockedMs = Math.max(this.#longestBlockedMs, blockedMs);
    this.#lagBytes = await this.#readLagBytes();
    this.#check('snapshotMaxAgeMs', this.usage().snapshotAgeMs, settings.snapshotMaxAgeMs, 'ms');
    this.#check('blockedMs', blockedMs, settings.blockedMs, 'ms');
    this.#check('replicationLagBytes', this.#lagBytes ?? 0, settings.replicationLagBytes || Infinity, 'bytes');
  }

  #check(name: string, value: number, allowed: number, unit: string): void {
    if (value <= allowed) return;
    const where = { connection: this.#options.connection, stage: 'extract', name };
    this.fail(toError('SOURCE_BUDGET_EXCEEDED', { ...where, amount: `${Math.round(value)} ${unit}`, expected: `${allowed} ${unit}` }));
  }

  /** pg_locks shows every role who waits and since when; pg_stat_activity shows it to few. */
  async #readBlockedMs(): Promise<number> {
    // pg_blocking_pids knows no process that replays the log; on a replica that is the one which waits for the locks of readers.
    const { rows } = await this.#options.client.query<{ ms: number }>(
      `SELECT coalesce(pg_catalog.max(1000 * extract(epoch FROM pg_catalog.clock_timestamp() - w.waitstart)), 0)::float8 AS ms
       FROM pg_catalog.pg_locks w
       WHERE CASE WHEN w.granted OR w.waitstart IS NULL OR w.pid = ANY ($1::int[]) THEN false
         WHEN pg_catalog.pg_is_in_recovery() AND w.locktype = 'relation' THEN EXISTS (
           SELECT FROM pg_catalog.pg_locks o
           WHERE o.granted AND o.pid = ANY ($1::int[]) AND o.locktype = 'relation' AND o.database = w.database AND o.relation = w.relation)
         ELSE pg_catalog.pg_blocking_pids(w.pid) && $1::int[] END`,
      [this.#options.pids()],
    );
    return rows[0]?.ms ?? 0;
  }

  /** Null where the server or the role's rights do not tell; what cannot be read once is not asked for again. */
  async #readLagBytes(): Promise<number | null> {
    if (!this.#lagReadable) return null;
    try {
      const { rows } = await this.#options.client.query<{ lag: number | null }>(
        `SELECT CASE WHEN pg_catalog.pg_is_in_recovery()
           THEN pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())
           ELSE (SELECT pg_catalog.max(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), replay_lsn)) FROM pg_catalog.pg_stat_replication)
         END::float8 AS lag`,
      );
      return rows[0]?.lag ?? null;
    } catch (cause) {
      const { code, where } = toServerError(cause, { connection: this.#options.connection, stage: 'extract' });
      // Some managed servers have no such functions (0A000, 42883) or do not give them to everybody (42501).
      if (code === 'PRIVILEGE_MISSING' || where.sqlState === '0A000' || where.sqlState === '42883') this.#lagReadable = false;
      else throw cause;
      return null;
    }
  }
}
