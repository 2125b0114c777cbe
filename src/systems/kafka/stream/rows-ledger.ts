// What of a topic is ours: which offsets were written by which stream, with a digest of each stretch. A record is used only once its whole stretch came
// back as it was sent; a record anywhere else is somebody else's.
import { createHash } from 'node:crypto';

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

/** Keys and values one after the other, with how long each is. */
export function toStretchDigest(
  records: readonly { readonly key?: Buffer | string | null; readonly value: Buffer | string | null }[],
): string {
  const lengths = Buffer.allocUnsafe(8 * records.length);
  const parts: Buffer[] = [lengths];
  records.forEach(({ key, value }, n) => {
    lengths.writeInt32BE(key?.length ?? -1, 8 * n);
    lengths.writeInt32BE(value?.length ?? -1, 8 * n + 4);
    if (key) parts.push(key as Buffer);
    if (value) parts.push(value as Buffer);
  });
  return createHash('sha256').update(Buffer.concat(parts)).digest('hex');
}

export class RowsLedger {
  readonly #placed = new Map<number, Placed[]>();
  readonly #begun = new Map<number, InRecord[]>();
  readonly #sending = new Set<Promise<unknown>>();

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
      if (toStretchDigest(begun) !== stretch.digest) throw this.#forged();
      whole.push({ stretch, records: begun });
      this.#placed.get(record.partition)?.shift();
      this.#begun.delete(record.partition);
    }
    return whole;
  }

  #forged(): Error {
    return toError('STREAM_RECORD_FORGED', { stage: 'deliver', ...this.where });
  }
}
