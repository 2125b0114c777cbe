// One worker thread with a policy in it, and a clock beside it: a question that is not answered in time ends the thread. Those that waited behind it are
// asked again in a new one, so that a hostile question costs nobody else an answer.
import { Worker } from 'node:worker_threads';

import { type BautaError, toError } from '../../kernel/errors.js';
import type { Failure } from './policy-failure.js';

export interface PolicyThreadData {
  readonly wasm: Uint8Array;
  /** JSON text of the base document. */
  readonly data: string;
  /** Those that the module has to have. */
  readonly entrypoints: readonly string[];
}

/** What a worker starts with. `taken`, shared: questions up to this id are the worker's or somebody else's; it takes one up by setting the id, if that is higher. */
export interface PolicyWorkerData extends PolicyThreadData {
  readonly taken: BigInt64Array;
}

export interface PolicyQuestion {
  readonly id: number;
  readonly entrypoint: string;
  /** JSON text. */
  readonly input: string;
  readonly nowNs: bigint;
  readonly seed: string;
  /** JSON text of a base document to ask with instead of the thread's. */
  readonly data?: string;
}

/** Id 0 is the thread's word that the policy is loaded. `results` is JSON text: OPA's set of results. */
export type PolicyAnswer = { readonly id: number } & (
  { readonly results: string; readonly evalNs: number } | { readonly failure: Failure; readonly detail: string | undefined }
);

export interface Evaluated {
  readonly results: string;
  readonly evalNs: number;
}

/** For a thread to start and compile, which is no evaluation: generous, since machines are busy. */
const startLimitMs = 30_000;
/** One document of a question. */
const maxInputBytes = 64 * 1024 * 1024;

/** Told when one question has kept the thread busy for so long, and again after each such time. */
export interface Busy {
  readonly afterMs: number;
  readonly tell: () => void;
}

export interface Waiting {
  readonly question: PolicyQuestion | undefined;
  readonly resolve: (evaluated: Evaluated) => void;
  readonly reject: (error: unknown) => void;
}

export class PolicyThread {
  #worker: Worker | undefined;
  /** In the order in which they were asked: the first is the one at work. */
  readonly #waiting = new Map<number, Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #unsent: PolicyQuestion[] = [];
  #closed = false;
  #retiring = false;
  /** A thread that starts is given the time for that, whoever waits. */
  #starting = false;
  readonly #data: PolicyThreadData;
  readonly #timeLimitMs: number;
  #next = 1;
  readonly #busy: Busy | undefined;
  #patience: NodeJS.Timeout | undefined;
  #stuck = false;
  /** Of each worker its own: one that was ended may take up a question still. */
  #taken = new BigInt64Array(new SharedArrayBuffer(8));

  constructor(data: PolicyThreadData, timeLimitMs: number, busy?: Busy) {
    this.#data = data;
    this.#timeLimitMs = timeLimitMs;
    this.#busy = busy;
  }

  /** One question has kept it busy for so long, and still does. */
  get stuck(): boolean {
    return this.#stuck;
  }

  get alone(): boolean {
    return this.#waiting.size <= 1;
  }

  /** It answers at once; `cold`: or after it was started, as one that was ended has to be. */
  isIdle(cold = false): boolean {
    return !this.#closed && !this.#starting && this.#waiting.size === 0 && (cold || this.#worker !== undefined);
  }

  /** It has taken up the first that waits. */
  get atWork(): boolean {
    const [first] = this.#waiting.keys();
    return first !== undefined && Atomics.load(this.#taken, 0) >= first;
  }

  /** Everybody who waits behind the question that is at work; the thread does not take them up any more. */
  shed(): readonly Waiting[] {
    // The first that waits here may be answered already, with the word of it on its way, and a later one at work: only the worker knows which.
    const taken = Atomics.exchange(this.#taken, 0, BigInt(this.#next - 1));
    this.#unsent = [];
    const others = [...this.#waiting].filter(([id]) => id > taken);
    for (const [id] of others) this.#waiting.delete(id);
    return others.map(([, waiting]) => waiting);
  }

  adopt(others: readonly Waiting[]): void {
    for (const { question, resolve, reject } of others) if (question !== undefined) this.ask(question).then(resolve, reject);
  }

  /** Resolves when the policy is loaded; rejects when it cannot be. */
  async start(): Promise<void> {
    await new Promise<Evaluated>((resolve, reject) => {
      this.#waiting.set(0, { question: undefined, resolve, reject });
      this.#running();
      this.#watch();
    });
  }

  /** The results of an evaluation. The time limit counts from when the thread takes it up. */
  ask(question: Omit<PolicyQuestion, 'id'>): Promise<Evaluated> {
    if (this.#closed) return Promise.reject(toError('POLICY_UNUSABLE', { name: 'it was closed' }));
    if (question.input.length > maxInputBytes)
      return Promise.reject(toError('POLICY_TOO_LARGE', { amount: `${maxInputBytes} characters` }));
    const whole = { ...question, id: this.#next++ };
    return new Promise((resolve, reject) => {
      this.#waiting.set(whole.id, { question: whole, resolve, reject });
      // Before the clock: a thread that has to start first is given the time for that.
      this.#running();
      if (this.#timer === undefined) this.#watch();
      this.#send(whole);
    });
  }

  /** Closed once everybody who asked has an answer. */
  retire(): void {
    this.#retiring = true;
    this.#watch();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#patience);
    const worker = this.#worker;
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(toError('POLICY_UNUSABLE', { name: 'it was closed' }));
    this.#waiting.clear();
    await worker?.terminate();
  }

  /** Questions of one turn of the event loop travel together. */
  #send(question: PolicyQuestion): void {
    this.#unsent.push(question);
    if (this.#unsent.length > 1) return;
    setImmediate(() => {
      const questions = this.#unsent;
      this.#unsent = [];
      if (!this.#closed) this.#running().postMessage(questions);
    });
  }

  /** The clock of the first that waits; there is none when nobody does. */
  #watch(): void {
    clearTimeout(this.#timer);
    clearInterval(this.#patience);
    this.#timer = undefined;
    this.#stuck = false;
    const [first] = this.#waiting;
    if (first === undefined) {
      if (this.#retiring) void this.close();
      return;
    }
    if (this.#busy !== undefined && this.#worker !== undefined && !this.#starting)
      this.#patience = setInterval(() => {
        this.#stuck = true;
        this.#busy?.tell();
      }, this.#busy.afterMs);
    const limitMs = this.#starting ? startLimitMs : this.#timeLimitMs;
    this.#timer = setTimeout(() => this.#restart(toError('POLICY_TIMEOUT', { amount: `${limitMs} ms` })), limitMs);
  }

  /** Ends the thread; the first that waits gets the error, the others a new thread. */
  #restart(error: BautaError): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
    const [first] = this.#waiting;
    if (first !== undefined) {
      this.#waiting.delete(first[0]);
      first[1].reject(error);
    }
    // What has not been sent goes with its own message.
    const sending = new Set(this.#unsent.map(({ id }) => id));
    const again = [...this.#waiting.values()].flatMap(({ question }) =>
      question === undefined || sending.has(question.id) ? [] : [question],
    );
    if (again.length > 0) this.#running().postMessage(again);
    this.#watch();
  }

  /** The thread, started anew after one was ended. */
  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    this.#taken = new BigInt64Array(new SharedArrayBuffer(8));
    // execArgv and env of its own: flags and secrets of the process are none of a policy's business.
    const worker = new Worker(new URL('./policy-worker.js', import.meta.url), {
      workerData: { ...this.#data, taken: this.#taken } satisfies PolicyWorkerData,
      execArgv: [],
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 512 },
    });
    worker.unref();
    worker.on('message', (answers: readonly PolicyAnswer[]) => {
      if (this.#worker === worker) for (const answer of answers) this.#settle(answer);
    });
    const gone = (): void => {
      if (this.#worker === worker) this.#restart(toError('POLICY_UNUSABLE', { name: 'its thread ended' }));
    };
    worker.on('error', gone);
    worker.on('exit', gone);
    this.#worker = worker;
    this.#starting = true;
    return worker;
  }

  #settle(answer: PolicyAnswer): void {
    if (answer.id === 0) this.#starting = false;
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    this.#watch();
    if (waiting === undefined) return;
    if ('results' in answer) waiting.resolve({ results: answer.results, evalNs: answer.evalNs });
    else waiting.reject(toPolicyError(answer));
  }
}

function toPolicyError({ failure, detail }: { readonly failure: Failure; readonly detail: string | undefined }): BautaError {
  switch (failure) {
    case 'builtin-missing':
      return toError('POLICY_BUILTIN_MISSING', { name: detail ?? 'unknown' });
    case 'builtin-off':
      return toError('POLICY_BUILTIN_OFF', { name: detail ?? 'unknown' });
    case 'conflict':
      return toError('POLICY_CONFLICT');
    case 'too-large':
      return toError('POLICY_TOO_LARGE', { amount: '512 MiB of memory' });
    case 'failed':
      return toError('POLICY_UNUSABLE', { name: 'its evaluation failed' });
    case 'unusable':
      return toError('POLICY_UNUSABLE', { name: 'it does not load' });
  }
}
