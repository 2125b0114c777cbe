// A connection is a reference that was resolved elsewhere: here it is a name for messages and a connection string that is never shown.
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

import pg from 'pg';

import { BautaError, toError, toKnownError } from '../../kernel/errors.js';
import type { ErrorCode } from '../../kernel/messages.js';
import type { TlsDefinition } from '../../pipeline/definition.js';
import type { Login } from '../../pipeline/ports.js';
import { createReadingSocket } from './reading-socket.js';
import { toServerError } from './server-error.js';
import { isLoopback, toTls, withoutTls } from './tls.js';

export interface ConnectionTarget {
  /** The reference as written (`env:SOURCE_URL`), for messages. */
  readonly name: string;
  /** The connection string. Secret. */
  readonly url: string;
  /** Other than the strict way, by a Connection document. */
  readonly tls?: TlsDefinition;
  /** How long a server may take until it takes queries; default 10 s. */
  readonly connectTimeoutMs?: number;
  /** What the login is now, where the one of `url` is refused: it may have been rotated. Undefined: nothing else is known. */
  readonly findNewer?: (refused: string) => Promise<string | undefined>;
  /** Its abort cuts attempts that are under way then; later ones are for cleaning up and go on. */
  readonly signal?: AbortSignal | undefined;
  /** What the server shows of our sessions; at most 63 characters. Default `bauta`. */
  readonly applicationName?: string | undefined;
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

/** The same server for another login. */
export function asLogin(target: ConnectionTarget, { role, password }: Login): ConnectionTarget {
  const url = new URL(target.url);
  url.username = encodeURIComponent(role);
  url.password = encodeURIComponent(password);
  // Nobody rotates this one.
  return { ...target, url: url.toString(), findNewer: () => Promise.resolve(undefined) };
}

/** As `connectOnce`, with the login that came in place of the one that is refused. */
export async function connect(target: ConnectionTarget, options: ConnectOptions = {}): Promise<pg.Client> {
  try {
    return await connectOnce(target, options);
  } catch (error) {
    if (!target.findNewer || toKnownError(error).code !== 'CONNECTION_REFUSED_LOGIN') throw error;
    const url = await target.findNewer(target.url);
    if (url === undefined || url === target.url) throw error;
    return connectOnce({ ...target, url }, options);
  }
}

/** Opens a session with the settings above. Throws CONNECTION_* with the reference's name. The caller ends it. */
async function connectOnce(target: ConnectionTarget, options: ConnectOptions = {}): Promise<pg.Client> {
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
    throw late ? toError('CONNECTION_TIMEOUT', { ...where, amount: `${connectTimeoutMs} ms` }) : toError(toCode(error), where);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cut);
  }
}

/** Node's codes of TLS, and the one thing that pg says in words only. */
function toCode(error: unknown): ErrorCode {
  if (error instanceof BautaError) return error.code;
  const { code = '', message = '' } = error as Partial<NodeJS.ErrnoException>;
  if (message === 'The server does not support SSL connections') return 'CONNECTION_TLS_MISSING';
  return /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code) ? 'CONNECTION_CERTIFICATE_REFUSED' : 'CONNECTION_UNREACHABLE';
}

/** pg's own, but for a server that asks for the password as it is: it could be anybody's, and would have it. */
class Client extends pg.Client {
  /** pg calls it by this name. The error ends the attempt, and nothing was sent. */
  protected _handleAuthCleartextPassword(): void {
    (this as unknown as { readonly connection: EventEmitter }).connection.emit('error', toError('CONNECTION_CLEARTEXT_REFUSED'));
  }
}

/** pg's and URL's own errors quote the connection string, so they go no further than this. */
function toClient(target: ConnectionTarget, options: ConnectOptions): pg.Client {
  try {
    const config = {
      connectionString: withoutTls(toUrl(target.url, options.database)),
      application_name: target.applicationName ?? 'bauta',
      keepAlive: true,
    };
    // Where pg would connect to, by every way that a connection string and its environment have to say it.
    const { host } = new Client({ ...config, ssl: false });
    const ssl = toTls(target.name, target.url, host, target.tls);
    return new Client({ ...config, ssl, ...(ssl === false ? { stream: createReadingSocket } : {}) });
  } catch (error) {
    throw error instanceof BautaError ? error : toError('CONNECTION_REFERENCE_INVALID', { name: target.name });
  }
}

/** A connection string for clients that are not ours: as it is on this machine, and else with TLS that they verify. Throws CONNECTION_TLS_WEAK. */
export function toVerifiedUrl(name: string, text: string): string {
  const { host } = toClient({ name, url: text }, {});
  if (isLoopback(host)) return text;
  const url = new URL(text);
  for (const more of ['ssl', 'uselibpqcompat']) url.searchParams.delete(more);
  url.searchParams.set('sslmode', 'verify-full');
  return url.toString();
}

/** Where a login has a database of its own name: for clients that are not ours. Secret. */
export function toLoginUrl(target: ConnectionTarget, login: Login): string {
  return toVerifiedUrl(target.name, toUrl(asLogin(target, login).url, login.role));
}

function toUrl(text: string, database: string | undefined): string {
  if (database === undefined) return text;
  const url = new URL(text);
  url.pathname = `/${encodeURIComponent(database)}`;
  return url.toString();
}
