// The records of a version as one Merkle tree (RFC 6962): leaves in the order of table, stream and record, whatever the order in which they came.
// 32 bytes a record are kept: 13 MB for 100 GB of rows.
import { toError } from '../../../kernel/errors.js';
import { type Digest, GrowingTree } from '../../../pipeline/audit/audit.js';
import type { RecordHead } from './record.js';

/** What the records of one table come to. */
export interface TableRecords {
  /** Streams, each with one record at least. */
  readonly ranges: number;
  readonly records: number;
  readonly rows: number;
  readonly bytes: number;
}

interface Stream {
  readonly leaves: Digest[];
  rows: number;
  bytes: number;
  ended: boolean;
}

export class RecordTree {
  readonly #tables: readonly Map<number, Stream>[];

  constructor(tables: number) {
    this.#tables = Array.from({ length: tables }, () => new Map());
  }

  /**
   * False: the record is one that was added already, as an idempotent producer or a reader that begins again may give it; it changes nothing.
   * Throws STREAM_RECORD_MISSING where one before it was not, or it comes after the last; STREAM_RECORD_FORGED where it is another one in the
   * same place, or of no table.
   */
  add({ table, range, sequence, last, rows, size }: RecordHead, leaf: Digest): boolean {
    const streams = this.#tables[table];
    if (!streams) throw toError('STREAM_RECORD_FORGED', { stage: 'deliver' });
    const where = { stage: 'deliver', range: range + 1, batch: sequence + 1 };
    const stream = streams.get(range) ?? { leaves: [], rows: 0, bytes: 0, ended: false };
    const known = stream.leaves[sequence];
    if (known) {
      if (known.equals(leaf)) return false;
      throw toError('STREAM_RECORD_FORGED', where);
    }
    if (sequence !== stream.leaves.length || stream.ended) throw toError('STREAM_RECORD_MISSING', where);
    stream.leaves.push(leaf);
    stream.rows += rows;
    stream.bytes += size;
    stream.ended = last;
    streams.set(range, stream);
    return true;
  }

  /** Per table: what was added so far. */
  tables(): readonly TableRecords[] {
    return this.#tables.map((streams) => {
      const all = [...streams.values()];
      const sum = (of: (stream: Stream) => number): number => all.reduce((total, stream) => total + of(stream), 0);
      return {
        ranges: all.length,
        records: sum(({ leaves }) => leaves.length),
        rows: sum(({ rows }) => rows),
        bytes: sum(({ bytes }) => bytes),
      };
    });
  }

  /** Throws STREAM_RECORD_MISSING while a stream has not ended, or one is missing between others. */
  root(): Digest {
    const tree = new GrowingTree();
    for (const streams of this.#tables) {
      for (let range = 0; range < streams.size; range++) {
        const stream = streams.get(range);
        if (!stream?.ended) throw toError('STREAM_RECORD_MISSING', { stage: 'deliver', range: range + 1 });
        for (const leaf of stream.leaves) tree.append(leaf);
      }
    }
    return tree.root();
  }
}
