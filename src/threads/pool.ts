// The pool: hands each batch to the thread with the least to do, two at a time per thread so that none waits for the next.
import { Worker } from 'node:worker_threads';

import { type BautaError, toError } from '../kernel/errors.js';
import type { Batch, Masked, MaskExecutor, PreparedMask } from '../pipeline/mask/mask.js';
import { BatchMemory } from '../pipeline/batch-memory.js';
import { type Answer, type Request, toTransferable } from './message.js';

interface Waiting {
  readonly resolve: (masked: Masked) => void;
  readonly reject: (error: BautaError) => void;
  readonly into: Uint8Array<SharedArrayBuffer>;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
}

const perThread = 2;
/** Little that a thread makes outlives its batch: a small nursery is emptied often instead of growing. */
const resourceLimits = { maxYoungGenerationSizeMb: 6 };

export class MaskPool implements MaskExecutor {
  readonly width: number;
  private readonly threads: readonly Thread[];
  private readonly memory = new BatchMemory();
  private nextId = 0;
  /** Why no batch is taken any more. */
  private ended: BautaError | undefined;

  constructor(prepared: PreparedMask, threads: number) {
    this.width = threads * perThread;
    this.threads = Array.from({ length: threads }, () => this.start(prepared));
  }

  mask(batch: Batch): Promise<Masked> {
    if (this.ended) return Promise.reject(this.ended);
    const thread = this.threads.reduce((best, other) => (other.waiting.size < best.waiting.size ? other : best));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const { table, range, sequence, bytes, vaulted } = batch;
      // Masked lines are seldom longer than half as much again.
      const into = this.memory.take(bytes.length + (bytes.length >> 1));
      thread.waiting.set(id, { resolve, reject, into });
      const shared = bytes.buffer instanceof SharedArrayBuffer;
      const lent = shared ? bytes : toTransferable(bytes);
      thread.worker.postMessage(
        { id, batch: { table, range, sequence, bytes: lent, ...(vaulted && { vaulted }) }, into } satisfies Request,
        shared ? [] : [lent.buffer as ArrayBuffer],
      );
    });
  }

  async close(): Promise<void> {
    this.end(toError('MASK_CLOSED', { stage: 'mask' }));
    await Promise.all(this.threads.map(({ worker }) => worker.terminate()));
  }

  /** Ends one thread as a crash would; for tests of what happens then. */
  async killThread(index: number): Promise<void> {
    await this.threads[index]?.worker.terminate();
  }

  private start(prepared: PreparedMask): Thread {
    // No stdin, and stdout of a thread goes nowhere: stdout belongs to the command.
    const worker = new Worker(new URL('./mask-thread.js', import.meta.url), {
      workerData: prepared,
      env: {},
      stdout: true,
      resourceLimits,
    });
    const thread: Thread = { worker, waiting: new Map() };
    worker.on('message', (answer: Answer) => this.settle(thread, answer));
    // The error's own text may hold a value, so only the fact goes on.
    const die = (): void => this.end(toError('MASK_THREAD_DIED', { stage: 'mask' }));
    worker.on('error', die);
    worker.on('messageerror', die);
    worker.on('exit', die);
    return thread;
  }

  private settle({ waiting }: Thread, answer: Answer): void {
    const waiter = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (!waiter) return;
    if ('code' in answer) return waiter.reject(toError(answer.code, answer.where));
    const { into } = waiter;
    const { bytes, ...place } = answer.batch;
    const give = (): void => this.memory.give(into);
    if (typeof bytes === 'number') return waiter.resolve({ ...place, bytes: into.subarray(0, bytes), release: give } as Masked);
    give();
    waiter.resolve({ ...place, bytes } as Masked);
  }

  /** The first reason counts; whatever is in flight is rejected with it. */
  private end(reason: BautaError): void {
    this.ended ??= reason;
    for (const { worker, waiting } of this.threads) {
      for (const { reject } of waiting.values()) reject(this.ended);
      waiting.clear();
      void worker.terminate();
    }
  }
}
