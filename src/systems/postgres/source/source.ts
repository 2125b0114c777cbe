// The Source port on Postgres: what is there, what stands in the way, and a locked, watched snapshot of it.
import type pg from 'pg';

import type { Clock } from '../../../kernel/clock.js';
import { BautaError, sortFindings, toError } from '../../../kernel/errors.js';
import type { Catalogue } from '../../../pipeline/catalogue.js';
import type { Plan } from '../../../pipeline/plan.js';
import type {
  CountedColumn,
  CutReference,
  HeldSnapshot,
  Snapshot,
  Source,
  SourceDescription,
  SourceScope,
  SourceState,
  Trial,
  Trialled,
} from '../../../pipeline/ports.js';
import type { ConnectionTarget } from '../connection.js';
import { toServerError } from '../server-error.js';
import type { CatalogueReader } from './catalogue-reader.js';
import { type Count, countValues } from './count.js';
import { countCut } from './cut-references.js';
import { type Held, hold, joinHolder } from './holder.js';
import { toJoinedTables } from './hops.js';
import { findAccessProblems, findVersionProblem } from './preflight.js';
import { endSession, openSession, terminateBackends, toBackendPid } from './session.js';
import { PostgresSnapshot } from './snapshot.js';
import { type SourceSettings, defaultSourceSettings } from './source-settings.js';
import { readState } from './state.js';
import { tryOut } from './try-out.js';

export type { CatalogueReader } from './catalogue-reader.js';
export { type SourceSettings, defaultSourceSettings } from './source-settings.js';

export interface PostgresSourceOptions extends CatalogueReader {
  readonly target: ConnectionTarget;
  readonly settings?: Partial<SourceSettings>;
  /** The pipeline's `source.writable`: why a role that can write is used all the same. */
  readonly writable?: { readonly reason: string } | undefined;
  readonly clock: Clock;
}

export class PostgresSource implements Source {
  /** The budget and the time-outs as they are in force, for the report. */
  readonly settings: SourceSettings;
  readonly #options: PostgresSourceOptions;
  readonly #clients = new Set<pg.Client>();
  readonly #snapshots = new Set<Snapshot>();
  readonly #pending = new Set<Promise<unknown>>();
  #closed = false;

  constructor(options: PostgresSourceOptions) {
    this.#options = options;
    this.settings = { ...defaultSourceSettings, ...options.settings };
  }

  describe(scope: SourceScope): Promise<SourceDescription> {
    return this.#track(this.#describe(scope));
  }

  count(columns: readonly CountedColumn[]): Promise<readonly Count[]> {
    return this.#track(this.#count(columns));
  }

  countCut(references: readonly CutReference[]): Promise<readonly number[]> {
    return this.#track(this.#countCut(references));
  }

  tryOut(trials: readonly Trial[]): Promise<readonly Trialled[]> {
    return this.#track(this.#tryOut(trials));
  }

  state(plan: Plan, catalogue: Catalogue): Promise<SourceState> {
    return this.#track(this.#state(plan, catalogue));
  }

  open(plan: Plan, scope: SourceScope): Promise<Snapshot> {
    const { clock, target } = this.#options;
    return this.#track(
      this.#openSnapshot(plan, (holder) => hold(holder, plan, scope, this.#options, target.name, clock)),
    ) as Promise<Snapshot>;
  }

  async join(plan: Plan, scope: SourceScope, held: readonly HeldSnapshot[]): Promise<Snapshot | undefined> {
    for (const one of held) {
      const joining = this.#openSnapshot(plan, (holder) => joinHolder(holder, plan, scope, this.#options, this.#connection, one));
      const snapshot = await this.#track(joining);
      if (snapshot) return snapshot;
    }
    return undefined;
  }

  /** Ends every session for good: open snapshots, and what is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#stopClients();
    await Promise.allSettled(this.#pending);
    await Promise.all([...this.#snapshots].map((snapshot) => snapshot.close()));
    this.#snapshots.clear();
  }

  async #describe(scope: SourceScope): Promise<SourceDescription> {
    const client = await this.#openClient();
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const unsupported = findVersionProblem(await readVersion(client), this.#connection);
      // The catalogue of an unknown version cannot be read with certainty, so there is nothing to return.
      if (unsupported) throw toError(unsupported.code, unsupported.where, [unsupported]);
      const { catalogue, findings } = await this.#options.readCatalogue(client, scope, this.#connection);
      const access = await findAccessProblems(client, catalogue, { connection: this.#connection, writable: this.#options.writable });
      const { rows } = await client.query<{ address: string | null }>(
        `SELECT pg_catalog.host(pg_catalog.inet_server_addr()) || ':' || pg_catalog.inet_server_port() AS address`,
      );
      const digest = this.#options.toCatalogueDigest(catalogue);
      const address = rows[0]?.address ?? 'local socket';
      return { catalogue, digest, address, findings: sortFindings([...findings, ...access]) };
    } catch (cause) {
      throw toServerError(cause, { connection: this.#connection, stage: 'source' });
    } finally {
      await this.#end(client);
    }
  }

  /** On as many sessions as extraction may have: each count reads for itself. */
  async #count(columns: readonly CountedColumn[]): Promise<readonly Count[]> {
    const counts: Count[] = [];
    let next = 0;
    const countOn = async (): Promise<void> => {
      const client = await this.#openClient();
      try {
        for (let at = next++; at < columns.length; at = next++) {
          counts[at] = await countValues(client, columns[at]!);
        }
      } catch (cause) {
        // The others end with what they are at.
        next = columns.length;
        throw toServerError(cause, { connection: this.#connection, stage: 'source' });
      } finally {
        await this.#end(client);
      }
    };
    const sessions = Array.from({ length: Math.min(columns.length, this.settings.connections) }, countOn);
    for (const end of await Promise.allSettled(sessions)) if (end.status === 'rejected') throw end.reason;
    return counts;
  }

  async #countCut(references: readonly CutReference[]): Promise<readonly number[]> {
    const counts: number[] = [];
    if (references.length === 0) return counts;
    const client = await this.#openClient();
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      for (const reference of references) counts.push(await countCut(client, reference, this.#connection));
      return counts;
    } catch (cause) {
      throw cause instanceof BautaError ? cause : toServerError(cause, { connection: this.#connection, stage: 'source' });
    } finally {
      await this.#end(client);
    }
  }

  async #state(plan: Plan, catalogue: Catalogue): Promise<SourceState> {
    const client = await this.#openClient();
    try {
      const values = await this.#options.readSequenceValues(client, catalogue, this.#connection);
      return await readState(client, [...plan.tables, ...toJoinedTables(plan)], values);
    } catch (cause) {
      const error = toServerError(cause, { connection: this.#connection, stage: 'source' });
      const { sqlState = '' } = error.where;
      // A server that does not let us ask: nobody's run fails for it.
      if (/^(42|0A)/.test(sqlState)) return { digest: null, lagMs: null, unknown: `the server does not say (SQLSTATE ${sqlState})` };
      throw error;
    } finally {
      await this.#end(client);
    }
  }

  async #tryOut(trials: readonly Trial[]): Promise<readonly Trialled[]> {
    const client = await this.#openClient();
    try {
      await client.query('BEGIN READ ONLY');
      const answers: Trialled[] = [];
      for (const trial of trials) answers.push(await tryOut(client, trial, this.#connection));
      return answers;
    } catch (cause) {
      throw cause instanceof BautaError ? cause : toServerError(cause, { connection: this.#connection, stage: 'source' });
    } finally {
      await this.#end(client);
    }
  }

  async #openSnapshot(plan: Plan, begin: (holder: pg.Client) => Promise<Held | undefined>): Promise<Snapshot | undefined> {
    const { target, clock, readSequenceValues } = this.#options;
    const { settings } = this;
    const opened: pg.Client[] = [];
    try {
      const watcher = await this.#openClient();
      opened.push(watcher);
      const holder = await this.#openClient();
      opened.push(holder);
      const held = await begin(holder);
      if (!held) {
        await Promise.all(opened.map((client) => this.#end(client)));
        return undefined;
      }
      // Nothing is awaited between the export and the snapshot's first look at its holder.
      const snapshot = new PostgresSnapshot({
        target,
        settings,
        clock,
        plan,
        held,
        holder,
        watcher,
        readSequenceValues,
      });
      this.#snapshots.add(snapshot);
      for (const client of opened) this.#clients.delete(client);
      return snapshot;
    } catch (cause) {
      await Promise.all(opened.map((client) => this.#end(client)));
      throw cause;
    }
  }

  get #connection(): string {
    return this.#options.target.name;
  }

  async #openClient(): Promise<pg.Client> {
    const client = await openSession(this.#options.target, this.settings, 'source');
    if (this.#closed) {
      await endSession(client);
      throw toError('EXTRACT_CLOSED', { connection: this.#connection, stage: 'source' });
    }
    this.#clients.add(client);
    return client;
  }

  async #end(client: pg.Client): Promise<void> {
    this.#clients.delete(client);
    await endSession(client);
  }

  /** What is busy may wait for a lock and hear of nothing; another session ends it, or the socket is cut where there can be none. */
  async #stopClients(): Promise<void> {
    const clients = [...this.#clients];
    if (clients.length === 0) return;
    const stopper = await openSession(this.#options.target, this.settings, 'source').catch(() => undefined);
    if (stopper) {
      await terminateBackends(stopper, clients.map(toBackendPid));
      await endSession(stopper);
    }
    await Promise.all(clients.map((client) => this.#end(client)));
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work);
    const done = (): void => void this.#pending.delete(work);
    work.then(done, done);
    return work;
  }
}

async function readVersion(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ version: number }>(`SELECT pg_catalog.current_setting('server_version_num')::int AS version`);
  return rows[0]?.version ?? 0;
}
