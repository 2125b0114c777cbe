// What a source has to bear, each a setting, the strict choice by default, reported per run.
import { lasting } from '../lasting.js';

export interface SourceSettings {
  /** Extract connections under one snapshot, beside the holder's and the watcher's. */
  readonly connections: number;
  /** Bytes of COPY text in a batch; a longer line makes a bigger one. */
  readonly batchBytes: number;
  /** Bytes of a table's main fork that are one range. */
  readonly rangeBytes: number;
  /** A table that takes more on disk is cut into ranges, whatever the others take. */
  readonly wholeBytes: number;
  /** How long the snapshot may hold back the source's vacuum. */
  readonly snapshotMaxAgeMs: number;
  /** How long another session may wait for one of our locks. */
  readonly blockedMs: number;
  /** How far the farthest replica may be behind (on a replica: itself); null or 0: no limit. Looked at where the role may see it. */
  readonly replicationLagBytes: number | null;
  /** Rows read per second over all connections; null or 0: as fast as it goes. A throttle: it slows down and never fails. */
  readonly rowsPerSecond: number | null;
  /** How long we wait for a lock. More than `blockedMs`, because a reader queues behind whoever waits for the holder. */
  readonly lockTimeoutMs: number;
  /** Longest single statement: a COPY lasts as long as its consumer takes. */
  readonly statementTimeoutMs: number;
  /** How often the watcher looks. */
  readonly watchEveryMs: number;
}

export const defaultSourceSettings: SourceSettings = {
  connections: 2,
  batchBytes: 256 * 1024,
  rangeBytes: 64 * 1024 * 1024,
  wholeBytes: 1024 * 1024 * 1024,
  snapshotMaxAgeMs: 4 * 3_600_000,
  blockedMs: 5_000,
  replicationLagBytes: 1024 * 1024 * 1024,
  rowsPerSecond: null,
  lockTimeoutMs: 10_000,
  statementTimeoutMs: 3_600_000,
  watchEveryMs: 500,
};

/** Session settings of every connection that reads: time-outs are ours, and rows come in the heap's order. */
export function toSessionSettings(settings: SourceSettings): Readonly<Record<string, string>> {
  return {
    ...lasting,
    lock_timeout: String(settings.lockTimeoutMs),
    statement_timeout: String(settings.statementTimeoutMs),
    transaction_timeout: '0',
    synchronize_seqscans: 'off',
    max_parallel_workers_per_gather: '0',
    jit: 'off',
  };
}
