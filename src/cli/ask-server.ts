// One request to a service: its answer, or its error as ours. HTTPS by the client that everything goes through; HTTP only to this machine.
import { readFile } from 'node:fs/promises';

import { InputError, toError } from '../kernel/errors.js';
import { type ErrorCode, messages } from '../kernel/messages.js';
import { HttpClient, type LoopbackRequest, isLoopback, sendToLoopback } from '../systems/http/http.js';

export interface ServerOptions {
  readonly server?: string;
  /** Where the token is: env:NAME or file:PATH. */
  readonly token?: string;
}

const LONGEST_MS = 10_000;

export async function askServer(options: ServerOptions, method: 'GET' | 'POST', path: string): Promise<unknown> {
  const url = toUrl(options.server, path);
  const headers = { authorization: `Bearer ${await readToken(options.token)}` };
  const { status, body } = await send({ method, url: url.href, headers, timeoutMs: LONGEST_MS }, url);
  const answer = parseAnswer(body.toString('utf8'));
  if (status >= 200 && status < 300 && answer !== undefined) return answer;
  throw toTheirError(answer, url.host);
}

function toUrl(server: string | undefined, path: string): URL {
  if (server === undefined) throw new InputError('OPTION_MISSING', { name: '--server', expected: 'bauta schedules --help' });
  const base = URL.canParse(server) ? new URL(server) : undefined;
  if (!base || !(isLoopback(base) || base.protocol === 'https:') || base.username !== '' || base.password !== '')
    throw new InputError('OPTION_INVALID', { name: '--server', expected: 'https://HOST, or http:// on this machine' });
  return new URL(path, base);
}

async function readToken(reference: string | undefined): Promise<string> {
  if (reference === undefined) throw new InputError('OPTION_MISSING', { name: '--token', expected: 'bauta schedules --help' });
  const [, kind, name = ''] = /^(env|file):(.+)$/.exec(reference) ?? [];
  const text = kind === 'env' ? process.env[name] : kind === 'file' ? await readFile(name, 'utf8').catch(() => undefined) : undefined;
  if (text === undefined || !/^[\x21-\x7e]+$/.test(text.trim()))
    throw new InputError('OPTION_INVALID', { name: '--token', expected: 'env:NAME or file:PATH of a token' });
  return text.trim();
}

/** The one who types the address says where it may be: it is not held against a list. */
function send(request: LoopbackRequest, url: URL): ReturnType<typeof sendToLoopback> {
  if (isLoopback(url)) return sendToLoopback(request);
  return new HttpClient({ hosts: `${url.host}=0.0.0.0/0+::/0` }).send(request);
}

function parseAnswer(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A code that is known here is said in our words; what else the answer holds is not passed on. */
function toTheirError(answer: unknown, host: string): Error {
  const { code, where } = (typeof answer === 'object' && answer !== null ? answer : {}) as { code?: unknown; where?: unknown };
  if (typeof code !== 'string' || !Object.hasOwn(messages, code)) return toError('SERVER_ANSWER_UNKNOWN', { name: host });
  const plain = Object.entries(typeof where === 'object' && where !== null ? where : {}).filter(([, value]) =>
    ['string', 'number'].includes(typeof value),
  );
  return toError(code as ErrorCode, Object.fromEntries(plain));
}
