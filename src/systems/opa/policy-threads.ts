// Threads with one policy. One of them answers; when a question keeps it busy for long, another takes over everybody who waits behind that question, and whoever
// comes after. So a question that never ends costs nobody else more than a moment, as long as not more of them are asked at once than there are threads.
import { PolicyThread, type Evaluated, type PolicyQuestion, type PolicyThreadData } from './policy-thread.js';

/** An evaluation that takes longer is left alone with its thread. Most take less than a millisecond. */
const PATIENCE_MS = 20;
const MOST = 4;

export class PolicyThreads {
  readonly #data: PolicyThreadData;
  readonly #timeLimitMs: number;
  /** One is kept ready beside the one that answers. */
  readonly #ready: boolean;
  #threads: PolicyThread[];
  #front: PolicyThread;
  #gone = false;

  constructor(data: PolicyThreadData, timeLimitMs: number, ready = false) {
    this.#data = data;
    this.#timeLimitMs = timeLimitMs;
    this.#ready = ready;
    this.#front = this.#create();
    this.#threads = [this.#front];
  }

  /** Resolves when the policy is loaded; rejects when it cannot be. */
  async start(): Promise<void> {
    await this.#front.start();
    if (this.#ready) await this.#add()?.start();
  }

  ask(question: Omit<PolicyQuestion, 'id'>): Promise<Evaluated> {
    if (this.#front.stuck) this.#pass(this.#front, true);
    return this.#front.ask(question);
  }

  /** Closed once everybody who asked has an answer. */
  retire(): void {
    this.#gone = true;
    for (const thread of this.#threads) thread.retire();
  }

  async close(): Promise<void> {
    this.#gone = true;
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #create(): PolicyThread {
    const thread: PolicyThread = new PolicyThread(this.#data, this.#timeLimitMs, { afterMs: PATIENCE_MS, tell: () => this.#pass(thread) });
    return thread;
  }

  #add(): PolicyThread | undefined {
    if (this.#threads.length >= MOST || this.#gone) return undefined;
    const thread = this.#create();
    this.#threads.push(thread);
    return thread;
  }

  /** From a thread that is busy to one that has nothing to do. Where there is none, they wait where they are until they are asked about again. */
  #pass(busy: PolicyThread, asked = false): void {
    // One that has not begun waits for the machine: so would the other.
    if (busy !== this.#front || this.#gone || !busy.atWork) return;
    // Nobody waits: who comes will see that it is stuck.
    if (!this.#ready && busy.alone && !asked) return;
    const next = this.#threads.find((thread) => thread.isIdle()) ?? this.#threads.find((thread) => thread.isIdle(true)) ?? this.#add();
    if (!next) return;
    this.#front = next;
    next.adopt(busy.shed());
    // The one that will be needed next is started now.
    if (this.#ready && !this.#threads.some((thread) => thread.isIdle()))
      this.#add()
        ?.start()
        .catch(() => undefined);
  }
}
