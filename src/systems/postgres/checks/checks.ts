// Counts what checks ask for, on sessions that can do nothing else: read-only, each statement in a transaction of its own that is rolled back, bound
// to a time-out that nothing in it can put off. Texts of the pipeline's author are in these statements; whoever this session is logged in as, they are.
import pg from 'pg';

import { toError } from '../../../kernel/errors.js';
import type { CheckPlan, Counted } from '../../../pipeline/check.js';
import { type ConnectionTarget, connect } from '../connection.js';
import { toServerError } from '../server-error.js';
import { type CountOptions, type CountStatement, toCountStatement, toCountStatements, toCounted } from './statements.js';

export { toRowsStatement } from './failing-rows.js';
export { toFrequenciesText, toPrivacyText, toSample } from './privacy-statements.js';

export interface CheckCounterOptions extends CountOptions {
  readonly database?: string | undefined;
  /** For each statement. */
  readonly timeoutMs: number;
}

/** How long after the time-out the server has to say so: code of the schema can catch a cancellation, and nothing can catch the end of its session. */
const GRACE_MS = 5_000;

/** SQLSTATE query_canceled. */
const cancelled = '57014';

export class CheckCounter {
  #client: Promise<pg.Client> | undefined;
  #closed = false;

  constructor(
    private readonly connection: ConnectionTarget,
    private readonly options: CheckCounterOptions,
  ) {}

  /** One for each check, in their order. Throws only when the server cannot be asked at all. */
  async count(checks: readonly CheckPlan[]): Promise<readonly Counted[]> {
    const counted = new Map<CheckPlan, Counted>();
    for (const statement of toCountStatements(checks, this.options)) await this.#answer(statement, counted);
    return checks.map((check) => counted.get(check) ?? { sqlState: cancelled });
  }

  /** Rows as the server prints them, of one statement under the same limits. */
  async rows(text: string): Promise<{ readonly rows: readonly (readonly (string | null)[])[] } | { readonly sqlState: string }> {
    return this.#run(text);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  async #answer(statement: CountStatement, counted: Map<CheckPlan, Counted>): Promise<void> {
    const { text, checks } = statement;
    const answer = await this.#run(text);
    if ('rows' in answer) {
      for (const { check, from } of checks) counted.set(check, toCounted(check, answer.rows[0] ?? [], from));
      return;
    }
    // One of several cannot be made: each for itself, so that the others can.
    if (checks.length > 1) for (const { check } of checks) await this.#answer(toCountStatement(check, this.options), counted);
    else for (const { check } of checks) counted.set(check, { sqlState: answer.sqlState });
  }

  async #run(text: string): Promise<{ readonly rows: readonly (readonly (string | null)[])[] } | { readonly sqlState: string }> {
    const client = await this.#open();
    const { timeoutMs } = this.options;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      void this.#terminate(client);
    }, timeoutMs + GRACE_MS);
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      // The extended protocol takes one statement and no more.
      const query = { text, rowMode: 'array', queryMode: 'extended', types: asPrinted } as unknown as pg.QueryArrayConfig;
      const { rows } = await client.query<(string | null)[]>(query);
      return { rows };
    } catch (cause) {
      if (late) return { sqlState: cancelled };
      if (cause instanceof pg.DatabaseError && cause.code && !isLost(cause.code)) return { sqlState: cause.code };
      throw toServerError(cause, { connection: this.connection.name, stage: 'verify' });
    } finally {
      clearTimeout(timer);
      // With it goes whatever the text set in the session.
      if (late) await this.#end();
      else await client.query('ROLLBACK').catch(() => this.#end());
    }
  }

  /** Its own session cannot be reached: another one of the same login ends it. */
  async #terminate(client: pg.Client): Promise<void> {
    const { processID } = client as unknown as { readonly processID: number };
    const other = await this.#connect().catch(() => undefined);
    await other?.query('SELECT pg_catalog.pg_terminate_backend($1)', [processID]).catch(() => undefined);
    await other?.end().catch(() => undefined);
    (client as unknown as { readonly connection: { readonly stream: { destroy(): void } } }).connection.stream.destroy();
  }

  async #open(): Promise<pg.Client> {
    if (this.#closed) throw toError('CONNECTION_LOST', { connection: this.connection.name, stage: 'verify' });
    return (this.#client ??= this.#connect());
  }

  #connect(): Promise<pg.Client> {
    const { database, timeoutMs } = this.options;
    return connect(this.connection, {
      ...(database === undefined ? {} : { database }),
      stage: 'verify',
      settings: {
        default_transaction_read_only: 'on',
        statement_timeout: String(timeoutMs),
        lock_timeout: String(Math.min(timeoutMs, 30_000)),
        idle_in_transaction_session_timeout: String(timeoutMs + GRACE_MS),
      },
    });
  }

  async #end(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.then((one) => one.end()).catch(() => undefined);
  }
}

/** The session is gone: nobody can be asked, and that is no answer of one check. */
const isLost = (code: string): boolean => /^(57P|08|25P03|25P04)/.test(code);

/** Counts go out as digits, rows as text. */
const asPrinted = { getTypeParser: () => (value: string) => value };
