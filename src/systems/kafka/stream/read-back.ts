// One reader of the topic serves all streams that are under way: it hands each its records and waits for the slowest, so that a few are in memory.
import { toError } from '../../../kernel/errors.js';
import type { Masked } from '../../../pipeline/batch.js';
import type { LineDigest } from '../../../pipeline/deliver/deliver.js';
import type { Outlet, ReadBack } from './outlet.js';

/** Records that wait for one stream. */
const depth = 4;

interface Queue {
  readonly records: ReadBack[];
  /** Wakes who waits for a record, and who waits for room. */
  wake: () => void;
  /** All of it was handed on. */
  done: boolean;
}

export class ReadBackQueues {
  readonly #outlet: Outlet;
  readonly #queues = new Map<string, Queue>();
  #reading: Promise<void> | undefined;
  #failure: { readonly cause: unknown } | undefined;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  /** The stream as batches, each of them once; `digest` counts what came back. MUST be called before its records are written. */
  async *read(table: number, stream: number, digest: LineDigest): AsyncGenerator<Masked, void, undefined> {
    const queue = this.#of(table, stream);
    this.#reading ??= this.#pump();
    for (let sequence = 0; ; sequence++) {
      while (queue.records.length === 0) {
        if (this.#failure) throw this.#failure.cause;
        await this.#changed(queue);
      }
      const record = queue.records.shift()!;
      queue.wake();
      digest.add(record.lines);
      // It was masked when it was sent, and is what was sent: the environment's own signature says so.
      if (record.rows > 0) yield { table, range: stream, sequence, bytes: record.lines, rows: record.rows } as Masked;
      if (record.last) break;
    }
    queue.done = true;
  }

  /** Everybody who waits hears of it. */
  fail(cause: unknown): void {
    this.#failure ??= { cause };
    for (const queue of this.#queues.values()) queue.wake();
  }

  async #pump(): Promise<void> {
    try {
      for await (const record of this.#outlet.readBack()) {
        const queue = this.#of(record.table, record.stream);
        // Signed, and for a stream that has ended: our own outlet would not have let it through.
        if (queue.done) throw toError('STREAM_RECORD_FORGED', { stage: 'deliver' });
        queue.records.push(record);
        queue.wake();
        while (queue.records.length >= depth && !this.#failure) await this.#changed(queue);
        if (this.#failure) return;
      }
    } catch (error) {
      this.fail(error);
    }
  }

  #of(table: number, stream: number): Queue {
    const name = `${table} ${stream}`;
    const known = this.#queues.get(name) ?? { records: [], wake: () => undefined, done: false };
    this.#queues.set(name, known);
    return known;
  }

  #changed(queue: Queue): Promise<void> {
    return new Promise((resolve) => {
      const before = queue.wake;
      queue.wake = () => {
        queue.wake = () => undefined;
        before();
        resolve();
      };
    });
  }
}
