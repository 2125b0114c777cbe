// Where a broker is and how it is spoken to, out of one secret text: `kafkas://user:password@host:port,host:port?mechanism=…&ca=file:…`, and what that
// text refers to; or out of a Connection document. Nothing of a secret is ever shown; messages name the reference it came by.
import { isIP } from 'node:net';

import { toError } from '../../kernel/errors.js';
import type { ConnectionDefinition } from '../../pipeline/definition.js';

export interface Host {
  readonly host: string;
  readonly port: number;
}

export type PasswordMechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512';

export type BrokerLogin =
  | { readonly mechanism: PasswordMechanism; readonly user: string; readonly password: string }
  /** Asked for at every login and before a session ends, so that a token may be short-lived. */
  | { readonly mechanism: 'oauthbearer'; readonly readToken: () => Promise<string> };

export interface BrokerTarget {
  /** The reference as written, for messages. */
  readonly name: string;
  readonly hosts: readonly Host[];
  /** Always verified, authority and name. Undefined: in clear, and never with a login. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly login?: BrokerLogin;
  /** Clear text beyond this machine: somebody gave a reason for it. */
  readonly plaintextAllowed?: boolean;
}

/** The text of a reference; `place` is the broker that it will be shown to, HOST:PORT. Undefined: there is none. */
export type ReadReference = (reference: string, place?: string) => Promise<string | undefined>;

const mechanisms = ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'] as const;
const parameters = ['mechanism', 'ca', 'cert', 'key', 'token'] as const;
type Parameter = (typeof parameters)[number];

interface Parsed {
  readonly secure: boolean;
  readonly hosts: readonly Host[];
  readonly user: string;
  readonly password: string;
  readonly said: Readonly<Partial<Record<Parameter, string>>>;
}

/**
 * Throws BROKER_ADDRESS_INVALID with the part that is wrong, BROKER_PLAINTEXT_REFUSED for `kafka://` beyond this machine unless `plaintextAllowed`,
 * and what `read` throws for the references in it.
 */
export async function resolveBroker(
  name: string,
  text: string | undefined,
  read: ReadReference,
  plaintextAllowed = false,
): Promise<BrokerTarget> {
  const { secure, hosts, user, password, said } = parseAddress(name, text?.trim() ?? '');
  if (!secure) return toClear(name, hosts, plaintextAllowed);
  const get = async (parameter: Parameter, shown: readonly Host[] = []): Promise<string | undefined> => {
    const reference = said[parameter];
    return reference === undefined ? undefined : readFor(name, parameter, reference, shown, read);
  };
  const [ca, cert, key] = [await get('ca'), await get('cert'), await get('key', hosts)];
  const login = await toLogin(name, { user, password, ...said }, () => get('token', hosts));
  return { name, hosts, tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }, ...(login && { login }) };
}

/**
 * Throws BROKER_ADDRESS_INVALID, BROKER_PLAINTEXT_REFUSED for `tls: mode: disable` beyond this machine unless `isDev`, and what `read` throws: each secret is
 * asked for with each of the hosts, since whoever changes the document could add one of his own.
 */
export async function resolveBrokerDefinition(definition: ConnectionDefinition, read: ReadReference, isDev = false): Promise<BrokerTarget> {
  const { name, system, url, tls = {}, mechanism, user = '', certificate } = definition;
  if (system !== 'kafka') throw toError('BROKER_ADDRESS_INVALID', { connection: name, name: 'system' });
  const clear = tls.mode === 'disable';
  if (url !== undefined) {
    const target = await resolveBroker(name, await read(url), read, clear && isDev);
    return target.tls && tls.ca !== undefined ? { ...target, tls: { ...target.tls, ca: tls.ca } } : target;
  }
  const hosts = (definition.hosts ?? []).flatMap((text) => parseHost(text) ?? []);
  if (hosts.length === 0) throw toError('BROKER_ADDRESS_INVALID', { connection: name, name: 'the host' });
  if (clear) {
    if (mechanism !== undefined || certificate) throw toError('BROKER_ADDRESS_INVALID', { connection: name, name: 'tls' });
    return toClear(name, hosts, isDev);
  }
  const get = (member: string, reference: string | undefined): Promise<string | undefined> =>
    reference === undefined ? Promise.resolve(undefined) : readFor(name, member, reference, hosts, read);
  const key = await get('certificate', certificate?.key);
  const who =
    definition.credentials === undefined
      ? { user, password: (await get('password', definition.password))?.replace(/[\r\n]+$/, '') ?? '' }
      : parseCredentials(name, await get('credentials', definition.credentials));
  const said = { ...who, ...(mechanism && { mechanism }), ...(definition.token !== undefined && { token: definition.token }) };
  const login = await toLogin(name, said, () => get('token', definition.token));
  return {
    ...{ name, hosts },
    tls: { ...(tls.ca !== undefined && { ca: tls.ca }), ...(certificate && { cert: certificate.cert }), ...(key !== undefined && { key }) },
    ...(login && { login }),
  };
}

/** In clear: on this machine, or because somebody gave a reason. */
function toClear(name: string, hosts: readonly Host[], plaintextAllowed: boolean): BrokerTarget {
  if (!plaintextAllowed && !hosts.every(({ host }) => isLoopback(host))) throw toError('BROKER_PLAINTEXT_REFUSED', { connection: name });
  return { name, hosts, ...(plaintextAllowed ? { plaintextAllowed } : {}) };
}

/** A secret is asked for with every host that it may be shown to. */
async function readFor(
  connection: string,
  member: string,
  reference: string,
  shown: readonly Host[],
  read: ReadReference,
): Promise<string> {
  let found: string | undefined;
  for (const place of shown.length === 0 ? [undefined] : shown.map(toHostPort)) found = await read(reference, place?.toLowerCase());
  if (!found?.trim()) throw toError('BROKER_ADDRESS_INVALID', { connection, name: member });
  return found;
}

function parseCredentials(connection: string, text: string | undefined): { readonly user: string; readonly password: string } {
  try {
    const { username, password } = JSON.parse(text ?? '') as Record<string, unknown>;
    if (typeof username === 'string' && typeof password === 'string') return { user: username, password };
  } catch {
    // A parser's words quote what it read.
  }
  throw toError('CONNECTION_CREDENTIALS_INVALID', { name: connection });
}

/** Is the text a broker's address at all, so that it is not taken for a database's? */
export function isBrokerAddress(text: string): boolean {
  return /^kafkas?:\/\//i.test(text.trim());
}

/** `localhost` is this machine by RFC 6761; another name may lead anywhere. */
export function isLoopback(host: string): boolean {
  const plain = host.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  return plain === 'localhost' || plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
}

export function toHostPort({ host, port }: Host): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function parseAddress(connection: string, text: string): Parsed {
  const refuse = (name: string): never => {
    throw toError('BROKER_ADDRESS_INVALID', { connection, name });
  };
  const [, scheme = '', user, list = '', query = ''] =
    /^(kafkas?):\/\/(?:([^@/?#\s]*)@)?([^@/?#\s]+)\/?(?:\?([^#\s]*))?$/i.exec(text) ?? refuse('the form');
  const secure = scheme.toLowerCase() === 'kafkas';
  const said = parseParameters(query, refuse);
  const [who = '', ...what] = (user ?? '').split(':');
  const parsed = {
    ...{ secure, said },
    hosts: list.split(',').map((one) => parseHost(one) ?? refuse('the host')),
    user: decode(who) ?? refuse('the user'),
    password: decode(what.join(':')) ?? refuse('the password'),
  };
  // What a login or a certificate would be for, nobody could say on a line that anybody reads.
  if (!secure && (user !== undefined || Object.keys(said).length > 0))
    refuse('the scheme, which is kafkas:// with a login or certificates');
  if ((said.cert === undefined) !== (said.key === undefined)) refuse('cert and key, which need each other');
  return parsed;
}

function parseParameters(query: string, refuse: (name: string) => never): Parsed['said'] {
  const said: Partial<Record<Parameter, string>> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    const known = parameters.find((one) => one === name) ?? refuse('a parameter that is none');
    if (said[known] !== undefined || value === '') refuse(known);
    said[known] = value;
  }
  return said;
}

interface Said {
  readonly user: string;
  readonly password: string;
  readonly mechanism?: string;
  readonly token?: string;
}

async function toLogin(connection: string, said: Said, getToken: () => Promise<string | undefined>): Promise<BrokerLogin | undefined> {
  const { user, password, token } = said;
  const refuse = (name: string): never => {
    throw toError('BROKER_ADDRESS_INVALID', { connection, name });
  };
  const mechanism = mechanisms.find((one) => one === said.mechanism?.toLowerCase());
  if (mechanism === undefined) {
    const isNothing = said.mechanism === undefined && user === '' && password === '' && token === undefined;
    return isNothing ? undefined : refuse('mechanism');
  }
  if (mechanism === 'oauthbearer') {
    if (token === undefined || user !== '' || password !== '') refuse('token');
    const readToken = async (): Promise<string> => (await getToken())?.trim() ?? refuse('token');
    await readToken();
    return { mechanism, readToken };
  }
  if (user === '' || password === '' || token !== undefined) refuse('the user and the password');
  return { mechanism, user, password };
}

function parseHost(text: string): Host | undefined {
  const [, v6, plain, port = ''] = /^(?:\[([0-9a-f:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})))(?::(\d{1,5}))$/i.exec(text) ?? [];
  const host = v6 ?? plain;
  const number = Number(port);
  if (host === undefined || number < 1 || number > 65_535 || (v6 !== undefined && isIP(v6) !== 6)) return undefined;
  return { host, port: number };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
