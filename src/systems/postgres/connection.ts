// A connection is a reference that was resolved elsewhere: here it is a name for messages and a connection string that is never shown.
import type { Socket } from 'node:net';

import pg from 'pg';

import { toError } from '../../kernel/errors.js';
import type { TlsDefinition } from '../../pipeline/definition.js';
import { createReadingSocket } from './reading-socket.js';
import { toServerError } from './server-error.js';

export interface ConnectionTarget {
  /** The reference as written (`env:SOURCE_URL`), for messages. */
  readonly name: string;
  /** The connection string. Secret. */
  readonly url: string;
  /** Other than the strict way, by a Connection document. */
  readonly tls?: TlsDefinition;
  /** How long a server may take until it takes queries; default 10 s. */
  readonly connectTimeoutMs?: number;
  /** Its abort cuts attempts that are under way then; later ones are for cleaning up and go on. */
  readonly signal?: AbortSignal | undefined;
}

export interface ConnectOptions {
  /** Another database on the same server. */
  readonly database?: string;
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
  await begin(client, target, where);
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

/** A server that takes the connection and says nothing is worse than none: the time-out is over all of it, TLS and login included. */
async function begin(client: pg.Client, target: ConnectionTarget, where: { connection: string; stage: string }): Promise<void> {
  const { connectTimeoutMs = 10_000, signal } = target;
  const { stream } = (client as unknown as { readonly connection: { readonly stream: Socket } }).connection;
  let late = false;
  const cut = (): void => void stream.destroy();
  const timer = setTimeout(() => {
    late = true;
    cut();
  }, connectTimeoutMs);
  signal?.addEventListener('abort', cut);
  try {
    await client.connect();
  } catch (error) {
    if (error instanceof pg.DatabaseError) await client.end().catch(() => undefined);
    cut();
    if (error instanceof pg.DatabaseError) throw toServerError(error, where);
    throw late ? toError('CONNECTION_TIMEOUT', { ...where, amount: `${connectTimeoutMs} ms` }) : toError('CONNECTION_UNREACHABLE', where);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cut);
  }
}

/** pg's and URL's own errors quote the connection string, so they go no further than this. */
function toClient(target: ConnectionTarget, options: ConnectOptions): pg.Client {
  try {
    const config = {
      connectionString: toUrl(target.url, options.database),
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
