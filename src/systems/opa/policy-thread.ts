// One worker thread with the policy in it, and a clock beside it: a question that is not answered in time ends the thread and all that waits.
import { Worker } from 'node:worker_threads';

import type { BautaError } from '../../kernel/errors.js';
import { toError } from '../../kernel/errors.js';

export interface PolicyThreadData {
  readonly wasm: Uint8Array;
  readonly entrypoint: string;
}

export interface PolicyQuestion {
  readonly id: number;
  /** JSON text. */
  readonly input: string;
}

/** Id 0 is the thread's word that the policy is loaded. */
export type PolicyAnswer = { readonly id: number } & ({ readonly result: unknown } | { readonly failure: 'unusable' | 'failed' });

/** For a thread to start and compile, which is no evaluation: generous, since machines are busy. */
const startLimitMs = 30_000;

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: BautaError) => void;
  readonly timer: NodeJS.Timeout;
}

export class PolicyThread {
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, Waiting>();
  readonly #data: PolicyThreadData;
  readonly #timeLimitMs: number;
  readonly #script: URL;
  #next = 1;

  constructor(data: PolicyThreadData, timeLimitMs: number, script = new URL('./policy-worker.js', import.meta.url)) {
    this.#data = data;
    this.#timeLimitMs = timeLimitMs;
    this.#script = script;
  }

  /** Resolves when the policy is loaded; rejects when it cannot be. */
  async start(): Promise<void> {
    await this.#wait(0, startLimitMs, () => void this.#running());
  }

  /** The raw result of an evaluation. The time limit counts from here, waiting for the thread included. */
  ask(input: string): Promise<unknown> {
    const id = this.#next++;
    return this.#wait(id, this.#timeLimitMs, () => this.#running().postMessage({ id, input } satisfies PolicyQuestion));
  }

  async close(): Promise<void> {
    await this.#end(toError('POLICY_UNUSABLE', { name: 'it was closed' }));
  }

  #wait(id: number, limitMs: number, send: () => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const late = toError('POLICY_TIMEOUT', { amount: `${limitMs} ms` });
      const timer = setTimeout(() => void this.#end(late), limitMs);
      this.#waiting.set(id, { resolve, reject, timer });
      send();
    });
  }

  /** The thread, started anew after one was ended. */
  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    // execArgv and env of its own: flags and secrets of the process are none of a policy's business.
    const worker = new Worker(this.#script, {
      workerData: this.#data,
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 512 },
    });
    worker.unref();
    worker.on('message', (answer: PolicyAnswer) => this.#settle(answer));
    const gone = (): void => {
      if (this.#worker === worker) void this.#end(toError('POLICY_UNUSABLE', { name: 'its thread ended' }));
    };
    worker.on('error', gone);
    worker.on('exit', gone);
    this.#worker = worker;
    return worker;
  }

  #settle(answer: PolicyAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    this.#waiting.delete(answer.id);
    clearTimeout(waiting.timer);
    if ('result' in answer) return waiting.resolve(answer.result);
    const name = answer.failure === 'failed' ? 'its evaluation failed' : 'it does not load';
    waiting.reject(toError('POLICY_UNUSABLE', { name }));
  }

  async #end(error: BautaError): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#waiting.clear();
    await worker?.terminate();
  }
}
