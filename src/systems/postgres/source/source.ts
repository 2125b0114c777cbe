// The Source port on Postgres: what is there, what stands in the way, and a locked, watched snapshot of it.
import type pg from 'pg';

import type { Clock } from '../../../kernel/clock.js';
import { type Finding, sortFindings, toError } from '../../../kernel/errors.js';
import type { Catalogue } from '../../../pipeline/catalogue.js';
import type { Plan } from '../../../pipeline/plan.js';
import type { Snapshot, Source, SourceScope } from '../../../pipeline/ports.js';
import type { ConnectionTarget } from '../connection.js';
import { toServerError } from '../server-error.js';
import type { CatalogueReader } from './catalogue-reader.js';
import { hold } from './holder.js';
import { findAccessProblems, findVersionProblem } from './preflight.js';
import { endSession, openSession } from './session.js';
import { type LineCutter, PostgresSnapshot } from './snapshot.js';
import { type SourceSettings, defaultSourceSettings } from './source-settings.js';

export type { CatalogueReader } from './catalogue-reader.js';
export type { LineCutter } from './snapshot.js';
export { type SourceSettings, defaultSourceSettings } from './source-settings.js';

export interface PostgresSourceOptions extends CatalogueReader {
  readonly target: ConnectionTarget;
  readonly settings?: Partial<SourceSettings>;
  /** The pipeline's `source.writable`: why a role that can write is used all the same. */
  readonly writable?: { readonly reason: string } | undefined;
  readonly toBatches: LineCutter;
  readonly clock: Clock;
}

export class PostgresSource implements Source {
  readonly #options: PostgresSourceOptions;
  readonly #settings: SourceSettings;
  readonly #clients = new Set<pg.Client>();
  readonly #snapshots = new Set<Snapshot>();

  constructor(options: PostgresSourceOptions) {
    this.#options = options;
    this.#settings = { ...defaultSourceSettings, ...options.settings };
  }

  async describe(scope: SourceScope): Promise<{ readonly catalogue: Catalogue; readonly findings: readonly Finding[] }> {
    const client = await this.#open();
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const version = await readVersion(client);
      const unsupported = findVersionProblem(version, this.#connection);
      // The catalogue of an unknown version cannot be read with certainty, so there is nothing to return.
      if (unsupported) throw toError(unsupported.code, unsupported.where, [unsupported]);
      const { catalogue, findings } = await this.#options.readCatalogue(client, scope);
      const access = await findAccessProblems(client, catalogue, { connection: this.#connection, writable: this.#options.writable });
      return { catalogue, findings: sortFindings([...findings, ...access]) };
    } catch (cause) {
      throw toServerError(cause, { connection: this.#connection, stage: 'source' });
    } finally {
      await this.#end(client);
    }
  }

  async open(plan: Plan, scope: SourceScope): Promise<Snapshot> {
    const { target, clock, toBatches } = this.#options;
    const opened: pg.Client[] = [];
    try {
      const startedAt = clock.now();
      const holder = await this.#open();
      opened.push(holder);
      const held = await hold(holder, plan, scope, this.#options, target.name);
      const watcher = await this.#open();
      opened.push(watcher);
      const snapshot = new PostgresSnapshot({
        target,
        settings: this.#settings,
        clock,
        toBatches,
        plan,
        held,
        holder,
        watcher,
        startedAt,
      });
      this.#snapshots.add(snapshot);
      for (const client of opened) this.#clients.delete(client);
      return snapshot;
    } catch (cause) {
      await Promise.all(opened.map((client) => this.#end(client)));
      throw cause;
    }
  }

  /** Ends every session, open snapshots included. */
  async close(): Promise<void> {
    await Promise.all([...this.#snapshots].map((snapshot) => snapshot.close()));
    this.#snapshots.clear();
    await Promise.all([...this.#clients].map((client) => this.#end(client)));
  }

  get #connection(): string {
    return this.#options.target.name;
  }

  async #open(): Promise<pg.Client> {
    const client = await openSession(this.#options.target, this.#settings, 'source');
    this.#clients.add(client);
    return client;
  }

  async #end(client: pg.Client): Promise<void> {
    this.#clients.delete(client);
    await endSession(client);
  }
}

async function readVersion(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ version: number }>(`SELECT pg_catalog.current_setting('server_version_num')::int AS version`);
  return rows[0]?.version ?? 0;
}
