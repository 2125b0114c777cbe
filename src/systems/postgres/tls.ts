// How a server is spoken to. Outside of this machine: by TLS, with a certificate that is trusted and made out to the server's name, unless a
// Connection document gives a reason for less. What the connection string says of TLS can make it stricter here, never laxer.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';

import { toError } from '../../kernel/errors.js';
import type { TlsDefinition } from '../../pipeline/definition.js';

type Mode = 'verify-full' | NonNullable<TlsDefinition['mode']>;

/** What pg takes as `ssl`: false is a connection without. */
export type Tls = false | Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'checkServerIdentity' | 'minVersion'>;

const parameters = ['ssl', 'sslmode', 'sslcert', 'sslkey', 'sslrootcert', 'sslpassword', 'sslnegotiation', 'uselibpqcompat'] as const;
const lax = new Set(['disable', 'allow', 'prefer', 'no-verify']);

/** A name that is not an address may be resolved to anywhere; `localhost` is this machine by RFC 6761. */
export function isLoopback(host: string): boolean {
  const plain = host.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  return plain.startsWith('/') || plain === 'localhost' || plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
}

/** The connection string without what it says of TLS, since pg would believe that more than us. */
export function withoutTls(text: string): string {
  const url = new URL(text);
  const said = parameters.filter((name) => url.searchParams.has(name));
  if (said.length === 0) return text;
  for (const name of said) url.searchParams.delete(name);
  return url.toString();
}

/** Throws CONNECTION_TLS_WEAK, or CONNECTION_REFERENCE_INVALID for a certificate file that cannot be read. */
export function toTls(name: string, text: string, host: string, wanted: TlsDefinition = {}): Tls {
  const said = new URL(text).searchParams;
  const mode = toMode(name, host, said.get('sslmode'), wanted.mode);
  if (mode === 'disable') return false;
  const ca = wanted.ca ?? readCertificate(name, said.get('sslrootcert'));
  const [cert, key] = [readCertificate(name, said.get('sslcert')), readCertificate(name, said.get('sslkey'))];
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: mode !== 'require',
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

/** A string that asks for TLS at all gets all of it: libpq's `require` checks nobody. */
function toMode(name: string, host: string, said: string | null, wanted: TlsDefinition['mode']): Mode {
  if (wanted !== undefined) return wanted;
  if (said !== null && !lax.has(said)) return 'verify-full';
  if (isLoopback(host)) return 'disable';
  if (said !== null) throw toError('CONNECTION_TLS_WEAK', { connection: name });
  return 'verify-full';
}

function readCertificate(name: string, path: string | null): string | undefined {
  if (path === null) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw toError('CONNECTION_REFERENCE_INVALID', { name });
  }
}
