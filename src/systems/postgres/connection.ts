// A connection is a reference that was resolved elsewhere: here it is a name for messages and a connection string that is never shown.
import pg from 'pg';

import { toServerError } from './server-error.js';

export interface ConnectionTarget {
  /** The reference as written (`env:SOURCE_URL`), for messages. */
  readonly name: string;
  /** The connection string. Secret. */
  readonly url: string;
}

export interface ConnectOptions {
  /** Another database on the same server. */
  readonly database?: string;
  readonly connectTimeoutMs?: number;
  /** Session settings as `name: value`, set after the ones below. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly stage?: string;
}

/** COPY text follows session settings; these make it the same everywhere (issue: extract). `search_path` empty: every name is qualified. */
const sessionSettings: Readonly<Record<string, string>> = {
  client_encoding: 'UTF8',
  TimeZone: 'UTC',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1',
  lc_monetary: 'C',
  search_path: '',
  row_security: 'off',
  xmloption: 'content',
  standard_conforming_strings: 'on',
};

/** Opens a session with the settings above. Throws CONNECTION_* with the reference's name. The caller ends it. */
export async function connect(target: ConnectionTarget, options: ConnectOptions = {}): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: toUrl(target.url, options.database),
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    application_name: 'bauta',
    keepAlive: true,
  });
  // Without a listener a cut connection ends the process; whoever uses the client sees the error at the next call.
  client.on('error', () => undefined);
  try {
    await client.connect();
    for (const [name, value] of Object.entries({ ...sessionSettings, ...options.settings })) {
      await client.query('SELECT pg_catalog.set_config($1, $2, false)', [name, value]);
    }
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw toServerError(error, { connection: target.name, stage: options.stage ?? 'source' });
  }
}

function toUrl(text: string, database: string | undefined): string {
  if (database === undefined) return text;
  const url = new URL(text);
  url.pathname = `/${encodeURIComponent(database)}`;
  return url.toString();
}
