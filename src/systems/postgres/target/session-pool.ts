// Sessions of one role in one database, opened when needed and never more than a number; a failed one is ended, not reused.
import { toError } from '../../../kernel/errors.js';
import type { Session } from './session.js';

export class SessionPool {
  readonly #open: () => Promise<Session>;
  readonly #limit: number;
  readonly #idle: Session[] = [];
  readonly #all = new Set<Session>();
  readonly #waiting: (() => void)[] = [];
  #busy = 0;
  #closed = false;

  constructor(open: () => Promise<Session>, limit: number) {
    this.#open = open;
    this.#limit = limit;
  }

  /** Lends a session to the work. */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    while (this.#busy >= this.#limit && !this.#closed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#closed) throw toError('STAGING_CLOSED');
    this.#busy++;
    try {
      const session = await this.#take();
      try {
        const result = await work(session);
        this.#idle.push(session);
        return result;
      } catch (error) {
        this.#all.delete(session);
        await session.end();
        throw error;
      }
    } finally {
      this.#busy--;
      this.#waiting.shift()?.();
    }
  }

  /** Ends all sessions, those at work too. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const wake of this.#waiting.splice(0)) wake();
    const sessions = [...this.#all];
    this.#all.clear();
    this.#idle.length = 0;
    await Promise.all(sessions.map((session) => session.end()));
  }

  async #take(): Promise<Session> {
    for (let session = this.#idle.pop(); session; session = this.#idle.pop()) {
      if (!session.lost) return session;
      this.#all.delete(session);
    }
    const session = await this.#open();
    this.#all.add(session);
    if (this.#closed) await session.end();
    return session;
  }
}
