// A small pool of extract connections, each in a transaction that imported the snapshot and keeps it, with its locks, over several ranges.
import type pg from 'pg';

import type { BautaError } from '../../../kernel/errors.js';
import type { ConnectionTarget } from '../connection.js';
import { quoteLiteral } from '../quote.js';
import { toServerError } from '../server-error.js';
import { endSession, openSession, toBackendPid } from './session.js';
import type { SourceSettings } from './source-settings.js';

interface Waiter {
  readonly resolve: (client: pg.Client | undefined) => void;
  readonly reject: (cause: BautaError) => void;
}

export class Readers {
  readonly #target: ConnectionTarget;
  readonly #settings: SourceSettings;
  readonly #snapshotId: string;
  readonly #terminate: (pids: readonly number[]) => Promise<void>;
  readonly #idle: pg.Client[] = [];
  readonly #busy = new Set<pg.Client>();
  readonly #pending = new Set<Promise<unknown>>();
  readonly #waiting: Waiter[] = [];
  #places: number;
  #closedBy: BautaError | undefined;

  constructor(
    target: ConnectionTarget,
    settings: SourceSettings,
    snapshotId: string,
    terminate: (pids: readonly number[]) => Promise<void>,
  ) {
    this.#target = target;
    this.#settings = settings;
    this.#snapshotId = snapshotId;
    this.#terminate = terminate;
    this.#places = settings.connections;
  }

  pids(): readonly number[] {
    return [...this.#busy, ...this.#idle].map(toBackendPid);
  }

  /** A connection for one range; waits while all are busy. */
  async acquire(): Promise<pg.Client> {
    this.#checkOpen();
    const idle = this.#idle.pop();
    if (!idle) return this.#next();
    this.#busy.add(idle);
    return idle;
  }

  /** Gives a connection back. `usable: false`: its COPY was left half-way, or it failed; it is ended, at the server too. */
  async release(client: pg.Client, usable: boolean): Promise<void> {
    if (!this.#busy.delete(client)) return;
    if (usable && !this.#closedBy) {
      const waiter = this.#waiting.shift();
      if (!waiter) return void this.#idle.push(client);
      // Never in neither list, or a close at this moment would miss it.
      this.#busy.add(client);
      return waiter.resolve(client);
    }
    await this.#track(this.#discard(client));
    this.#places += 1;
    this.#waiting.shift()?.resolve(undefined);
  }

  /** Ends all of them; whoever waits for one gets `cause`. */
  async close(cause: BautaError): Promise<void> {
    this.#closedBy ??= cause;
    for (const waiter of this.#waiting.splice(0)) waiter.reject(this.#closedBy);
    const busy = [...this.#busy];
    this.#busy.clear();
    await Promise.all([
      this.#terminate(busy.map(toBackendPid)).then(() => Promise.all(busy.map(endSession))),
      ...this.#idle.splice(0).map(endSession),
    ]);
    await Promise.allSettled(this.#pending);
  }

  async #next(): Promise<pg.Client> {
    if (this.#places === 0) {
      const client = await new Promise<pg.Client | undefined>((resolve, reject) => this.#waiting.push({ resolve, reject }));
      if (client) return client;
    }
    this.#places -= 1;
    try {
      return await this.#track(this.#open());
    } catch (cause) {
      this.#places += 1;
      this.#waiting.shift()?.resolve(undefined);
      throw cause;
    }
  }

  async #open(): Promise<pg.Client> {
    const client = await openSession(this.#target, this.#settings, 'extract');
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      await client.query(`SET TRANSACTION SNAPSHOT ${quoteLiteral(this.#snapshotId)}`);
    } catch (cause) {
      await endSession(client);
      throw toServerError(cause, { connection: this.#target.name, stage: 'extract' });
    }
    if (this.#closedBy) await endSession(client);
    this.#checkOpen();
    this.#busy.add(client);
    return client;
  }

  #checkOpen(): void {
    if (this.#closedBy) throw this.#closedBy;
  }

  async #discard(client: pg.Client): Promise<void> {
    await this.#terminate([toBackendPid(client)]);
    await endSession(client);
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work);
    const done = (): void => void this.#pending.delete(work);
    work.then(done, done);
    return work;
  }
}
