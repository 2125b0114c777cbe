// A connection is a reference that was resolved elsewhere: here it is a name for messages and a connection string that is never shown.
import pg from 'pg';

import { toError } from '../../kernel/errors.js';
import { createReadingSocket } from './reading-socket.js';
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
  const where = { connection: target.name, stage: options.stage ?? 'source' };
  const client = toClient(target, options);
  // Without a listener a cut connection ends the process; whoever uses the client sees the error at the next call.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    if (error instanceof pg.DatabaseError) throw toServerError(error, where);
    throw toError('CONNECTION_UNREACHABLE', where);
  }
  try {
    const settings = Object.entries({ ...sessionSettings, ...options.settings });
    await client.query(
      'SELECT pg_catalog.set_config(s.name, s.value, false) FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS s(name, value)',
      [settings.map(([name]) => name), settings.map(([, value]) => value)],
    );
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw toServerError(error, where);
  }
}

/** pg's and URL's own errors quote the connection string, so they go no further than this. */
function toClient(target: ConnectionTarget, options: ConnectOptions): pg.Client {
  try {
    const config = {
      connectionString: toUrl(target.url, options.database),
      connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
      application_name: 'bauta',
      keepAlive: true,
    };
    const client = new pg.Client(config);
    const { ssl } = client as unknown as { readonly ssl: unknown };
    return ssl ? client : new pg.Client({ ...config, stream: createReadingSocket });
  } catch {
    throw toError('CONNECTION_REFERENCE_INVALID', { name: target.name });
  }
}

function toUrl(text: string, database: string | undefined): string {
  if (database === undefined) return text;
  const url = new URL(text);
  url.pathname = `/${encodeURIComponent(database)}`;
  return url.toString();
}
