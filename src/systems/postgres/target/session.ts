// A session on the target server whose errors are ours, and the server that opens them.
import type pg from 'pg';

import { BautaError, toError } from '../../../kernel/errors.js';
import type { Login } from '../../../pipeline/ports.js';
import { type ConnectionTarget, asLogin, connect } from '../connection.js';
import { lasting } from '../lasting.js';
import { toServerError } from '../server-error.js';

export interface TargetSettings {
  /** Sessions that load at the same time. */
  readonly loadConnections: number;
  /** Sessions that build constraints and indexes at the same time. */
  readonly finishConnections: number;
  /** For each statement that builds or loads. */
  readonly statementTimeoutMs: number;
  /** How long a statement waits for a lock that somebody else holds. */
  readonly lockTimeoutMs: number;
  /** How long publication and roll-back try to switch while others stay connected. */
  readonly switchTimeoutMs: number;
}

export const defaultTargetSettings: TargetSettings = {
  loadConnections: 4,
  finishConnections: 2,
  statementTimeoutMs: 4 * 3_600_000,
  lockTimeoutMs: 60_000,
  switchTimeoutMs: 30_000,
};

/** Of a session that holds the target's lock, and to which the server sends next to nothing. */
export const holding: Readonly<Record<string, string>> = {
  ...lasting,
  // Of what was sent and is not acknowledged; milliseconds.
  tcp_user_timeout: '25000',
};

export class Session {
  lost = false;
  readonly client: pg.Client;
  readonly #connection: string;

  constructor(client: pg.Client, connection: string) {
    this.client = client;
    this.#connection = connection;
    client.once('error', () => (this.lost = true));
    client.once('end', () => (this.lost = true));
  }

  /** One statement: the extended protocol refuses a second one in the same text. */
  async query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    try {
      const { rows } = await this.client.query<Row>({ text, values: [...values], queryMode: 'extended' } as pg.QueryConfig);
      return rows;
    } catch (error) {
      throw this.toError(error);
    }
  }

  /** Runs the work in a transaction; any failure rolls back. */
  async transaction<T>(work: () => Promise<T>): Promise<T> {
    await this.query('BEGIN');
    try {
      const result = await work();
      await this.query('COMMIT');
      return result;
    } catch (error) {
      if (!this.lost) await this.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  }

  toError(error: unknown): BautaError {
    return toServerError(error, { connection: this.#connection, stage: 'deliver' });
  }

  async end(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }
}

/** The server that a connection string points at, and the name of its target database. */
export class TargetServer {
  readonly connection: ConnectionTarget;
  readonly settings: TargetSettings;
  readonly target: string;

  constructor(connection: ConnectionTarget, settings: TargetSettings) {
    this.connection = connection;
    this.settings = settings;
    this.target = toDatabaseName(connection);
  }

  /** A session of the provisioning role in the maintenance database, which lives as long as the run. */
  async openMaintenance(): Promise<Session> {
    try {
      return await this.open('postgres', holding);
    } catch (error) {
      // Everybody must choose the same database, because advisory locks are per database: only its absence leads to the other.
      if (error instanceof BautaError && error.code === 'DATABASE_MISSING') return this.open('template1', holding);
      throw error;
    }
  }

  /** A session of the run's own role. Throws TARGET_RUN_LOGIN_REFUSED where the server lets only certain roles in. */
  async openAs(login: Login, database: string, settings: Readonly<Record<string, string>>): Promise<Session> {
    const server = new TargetServer(asLogin(this.connection, login), this.settings);
    try {
      return await server.open(database, settings);
    } catch (error) {
      if (!(error instanceof BautaError) || error.code !== 'CONNECTION_REFUSED_LOGIN') throw error;
      throw toError('TARGET_RUN_LOGIN_REFUSED', { stage: 'deliver', connection: this.connection.name });
    }
  }

  /** A session of the provisioning role in a database of ours. The caller ends it. */
  async open(database: string, settings: Readonly<Record<string, string>> = {}): Promise<Session> {
    const { statementTimeoutMs, lockTimeoutMs } = this.settings;
    const client = await connect(this.connection, {
      database,
      stage: 'deliver',
      settings: {
        statement_timeout: String(statementTimeoutMs),
        lock_timeout: String(lockTimeoutMs),
        ...settings,
      },
    });
    return new Session(client, this.connection.name);
  }
}

/** SQLSTATE of an error of ours, if the server gave one. */
export function toSqlState(error: unknown): string {
  return error instanceof BautaError ? (error.where.sqlState ?? '') : '';
}

export function toDatabaseName(connection: ConnectionTarget): string {
  let name = '';
  try {
    name = decodeURIComponent(new URL(connection.url).pathname.slice(1));
  } catch {
    throw toError('CONNECTION_REFERENCE_INVALID', { name: connection.name });
  }
  if (name === '') throw toError('TARGET_DATABASE_UNNAMED', { connection: connection.name });
  return name;
}
