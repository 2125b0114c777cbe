// A connection reference (`env:NAME`, `file:PATH`, `vault:PATH#FIELD`, `aws:NAME#FIELD`) or a Connection document becomes a connection target. What a variable or file holds is never shown.
import { toError } from '../../kernel/errors.js';
import { toPlace } from '../../kernel/server-place.js';
import type { ConnectionDefinition } from '../../pipeline/definition.js';
import type { Login } from '../../pipeline/ports.js';
import type { ConnectionTarget } from './connection.js';

/**
 * Resolves a reference. Throws CONNECTION_REFERENCE_INVALID for anything but `env:NAME`, `file:PATH` and what `readStored` takes, for a variable or file that is
 * missing, and for content that is no postgres:// URL. The error names the reference, unless the reference itself may be a secret.
 */
export async function resolveConnection(
  reference: string,
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => Promise<string>,
  readStored?: (reference: string) => Promise<string | undefined>,
): Promise<ConnectionTarget> {
  if (readStored && /^(vault|aws):/.test(reference)) return toTarget(reference, await readStored(reference));
  const [, kind, rest] = /^(env|file):(.+)$/s.exec(reference) ?? [];
  const variable = kind === 'env' && rest !== undefined && /^[A-Za-z_][A-Za-z0-9_]*$/.test(rest);
  // A URL behind `file:` is somebody's connection string in the wrong place.
  const path = kind === 'file' && rest !== undefined && !/:\/\/|[\0\n\r]/.test(rest);
  if (!variable && !path) throw toError('CONNECTION_REFERENCE_INVALID', { name: '[not shown]' });
  return toTarget(reference, variable ? env[rest] : await readFile(rest ?? '').catch(() => undefined));
}

/** The text of a secret; `place` is the server that it will be shown to, HOST:PORT/DATABASE. */
type Read = (reference: string, place?: string) => Promise<string | undefined>;

/** A reference of a document that names no Connection. */
export async function resolveReference(reference: string, read: Read): Promise<ConnectionTarget> {
  return toTarget(reference, await read(reference));
}

/** Throws CONNECTION_REFERENCE_INVALID with the Connection's name, and what `read` throws. */
export async function resolveDefinition(definition: ConnectionDefinition, read: Read): Promise<ConnectionTarget> {
  const target = await resolveOnce(definition, read);
  // What a variable or a file of this process says is what it said when the process began; what a Vault or AWS keeps may be another by now.
  const isRotated = /^(vault|aws):/.test(definition.url ?? definition.credentials ?? definition.password ?? '');
  return isRotated ? { ...target, findNewer: async () => (await resolveOnce(definition, read)).url } : target;
}

async function resolveOnce(definition: ConnectionDefinition, read: Read): Promise<ConnectionTarget> {
  // A password of a broker is shown to brokers.
  if (definition.system === 'kafka') throw toError('CONNECTION_REFERENCE_INVALID', { name: definition.name });
  const { name, url, host = '', port = 5432, database = '', credentials, tls } = definition;
  const more = tls ? { tls } : {};
  if (url !== undefined) return { ...toTarget(name, await read(url)), ...more };
  const place = toPlace(host, port, database);
  const login = credentials === undefined ? await readPassword(definition, read, place) : parseLogin(name, await read(credentials, place));
  const [who, what, where] = [login.role, login.password, database].map(encodeURIComponent);
  return { ...toTarget(name, `postgres://${who}:${what}@${host.includes(':') ? `[${host}]` : host}:${port}/${where}`), ...more };
}

async function readPassword({ name, user = '', password = '' }: ConnectionDefinition, read: Read, place: string): Promise<Login> {
  const secret = (await read(password, place))?.replace(/[\r\n]+$/, '');
  if (!secret) throw toError('CONNECTION_REFERENCE_INVALID', { name });
  return { role: user, password: secret };
}

function parseLogin(name: string, text: string | undefined): Login {
  if (text === undefined) throw toError('CONNECTION_REFERENCE_INVALID', { name });
  try {
    const { username, password } = JSON.parse(text) as Record<string, unknown>;
    if (typeof username === 'string' && typeof password === 'string' && username !== '' && password !== '')
      return { role: username, password };
  } catch {
    // A parser's words quote what it read.
  }
  throw toError('CONNECTION_CREDENTIALS_INVALID', { name });
}

function toTarget(name: string, text: string | undefined): ConnectionTarget {
  const url = text?.trim();
  if (!url || !isPostgresUrl(url)) throw toError('CONNECTION_REFERENCE_INVALID', { name });
  return { name, url };
}

function isPostgresUrl(text: string): boolean {
  return /^postgres(ql)?:\/\//i.test(text) && !/\s/.test(text) && URL.canParse(text);
}
