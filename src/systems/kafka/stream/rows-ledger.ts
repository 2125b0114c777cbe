// What of a topic is ours: which offsets were written by which stream, with a digest of each stretch. A record is used only once its whole stretch came
// back as it was sent; a record anywhere else is somebody else's.
import { type Hash, createHash } from 'node:crypto';

import { toError } from '../../../kernel/errors.js';
import type { InRecord } from '../reader.js';

/** Records that one request put into one partition. */
export interface Stretch {
  readonly table: number;
  readonly stream: number;
  readonly rows: number;
  readonly digest: string;
}

interface Placed extends Stretch {
  readonly offset: bigint;
}

/** A record without a key, or without a value. */
const absent = 0xffff_ffff;

/**
 * Each record as the length of its key (4 bytes, highest first; all ones: it has none), the length of its value, the key and the value, one record
 * after the other. The digest that is told of a partition is of this, so that anybody can make it.
 */
export function toFrames(records: readonly { readonly key?: Buffer | string | null; readonly value: Buffer | string | null }[]): Buffer {
  const lengths = Buffer.allocUnsafe(8 * records.length);
  const parts: Buffer[] = [];
  records.forEach(({ key, value }, n) => {
    lengths.writeUInt32BE(key?.length ?? absent, 8 * n);
    lengths.writeUInt32BE(value?.length ?? absent, 8 * n + 4);
    parts.push(lengths.subarray(8 * n, 8 * n + 8));
    if (key) parts.push(key as Buffer);
    if (value) parts.push(value as Buffer);
  });
  return Buffer.concat(parts);
}

export const toStretchDigest = (frames: Buffer): string => createHash('sha256').update(frames).digest('hex');

/** What came back of one partition. */
export interface PartitionTold {
  readonly partition: number;
  readonly records: number;
  /** SHA-256 of the frames of its records, in the order of their offsets. */
  readonly sha256: string;
}

export class RowsLedger {
  readonly #placed = new Map<number, Placed[]>();
  readonly #begun = new Map<number, InRecord[]>();
  readonly #sending = new Set<Promise<unknown>>();
  readonly #back = new Map<number, { records: number; readonly hash: Hash }>();

  constructor(private readonly where: { readonly run: string; readonly object: string }) {}

  /** A request that is under way: what it writes may be read before its answer is here. */
  async sending<T>(request: Promise<T>): Promise<T> {
    this.#sending.add(request);
    try {
      return await request;
    } finally {
      this.#sending.delete(request);
    }
  }

  place(partition: number, offset: bigint, stretch: Stretch): void {
    const placed = this.#placed.get(partition) ?? [];
    this.#placed.set(partition, placed);
    placed.push({ ...stretch, offset });
    // Two streams' answers may come in another order than their records.
    placed.sort((a, b) => (a.offset < b.offset ? -1 : 1));
  }

  /** The stretches that these records, in order of each partition, make whole. Throws STREAM_RECORD_FORGED. */
  async match(records: readonly InRecord[]): Promise<readonly { readonly stretch: Stretch; readonly records: readonly InRecord[] }[]> {
    await Promise.allSettled(this.#sending);
    const whole: { stretch: Stretch; records: readonly InRecord[] }[] = [];
    for (const record of records) {
      const begun = this.#begun.get(record.partition) ?? [];
      this.#begun.set(record.partition, begun);
      const stretch = this.#placed.get(record.partition)?.[0];
      if (!stretch || record.offset !== stretch.offset + BigInt(begun.length)) throw this.#forged();
      begun.push(record);
      if (begun.length < stretch.rows) continue;
      const frames = toFrames(begun);
      if (toStretchDigest(frames) !== stretch.digest) throw this.#forged();
      this.#count(record.partition, begun.length, frames);
      whole.push({ stretch, records: begun });
      this.#placed.get(record.partition)?.shift();
      this.#begun.delete(record.partition);
    }
    return whole;
  }

  /** Every request that is under way has its answer. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#sending);
  }

  /** What came back so far. */
  told(): readonly PartitionTold[] {
    return [...this.#back]
      .sort(([a], [b]) => a - b)
      .map(([partition, { records, hash }]) => ({ partition, records, sha256: hash.copy().digest('hex') }));
  }

  #count(partition: number, records: number, frames: Buffer): void {
    const back = this.#back.get(partition) ?? { records: 0, hash: createHash('sha256') };
    this.#back.set(partition, back);
    back.records += records;
    back.hash.update(frames);
  }

  #forged(): Error {
    return toError('STREAM_RECORD_FORGED', { stage: 'deliver', ...this.where });
  }
}
