// The service that a command speaks to: what it answers as values whose texts a terminal may show, and its errors as ours.
import { readFile } from 'node:fs/promises';

import { parseSettings } from '../config/settings.js';
import { type BautaError, type Finding, InputError, type Where, toError, toFinding } from '../kernel/errors.js';
import { type ErrorCode, messages } from '../kernel/messages.js';
import { type OwnRequest, OwnServer } from '../systems/http/http.js';
import type { GlobalOptions } from './context.js';
import { stripControls } from './print.js';

/** Throws what the service answers, or why it cannot be asked. */
export class Server {
  constructor(readonly own: OwnServer) {}

  /** T MUST be what docs/openapi.json says of the answer (undefined where it has none); a text in it holds no control character any more. */
  async ask<T>(method: OwnRequest['method'], path: string, more: Pick<OwnRequest, 'headers' | 'body'> = {}): Promise<T> {
    const { status, body } = await this.own.ask({ method, path, ...more });
    const answer = parseAnswer(body);
    if (status >= 200 && status < 300 && (answer !== undefined || status === 204)) return answer as T;
    throw this.toTheirs(answer);
  }

  post<T>(path: string, body: object): Promise<T> {
    return this.ask('POST', path, { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } });
  }

  /** Every item of every page. */
  async list<T>(path: string): Promise<readonly T[]> {
    const items: T[] = [];
    for await (const item of this.each<T>(path)) items.push(item);
    return items;
  }

  /** Every item of every page, one page after the other. */
  async *each<T>(path: string): AsyncGenerator<T> {
    for (let cursor = ''; ;) {
      const page = await this.ask<{ items: T[]; next: string | null }>('GET', `${path}${path.includes('?') ? '&' : '?'}limit=200${cursor}`);
      yield* page.items;
      if (page.next === null) return;
      cursor = `&cursor=${encodeURIComponent(page.next)}`;
    }
  }

  /** An RFC 9457 problem as the error that it is. A code that is known here is said in our words; what else it holds is not passed on. */
  toTheirs(answer: unknown): BautaError {
    return toErrorOf(answer) ?? toError('SERVER_ANSWER_UNKNOWN', { name: this.own.host });
  }
}

/** Undefined: neither option nor setting names a service. Throws OPTION_MISSING or OPTION_INVALID. */
export async function findServer(options: Pick<GlobalOptions, 'server' | 'token'>): Promise<Server | undefined> {
  const { BAUTA_SERVER, BAUTA_TOKEN } = parseSettings(process.env);
  const address = options.server ?? BAUTA_SERVER;
  if (address === '') {
    if (options.server !== undefined) throw addressInvalid();
    return undefined;
  }
  const own = OwnServer.open(address, await readToken(options.token ?? BAUTA_TOKEN));
  if (!own) throw addressInvalid();
  return new Server(own);
}

/** `help`: the command that needs one. */
export async function requireServer(options: Pick<GlobalOptions, 'server' | 'token'>, help: string): Promise<Server> {
  const server = await findServer(options);
  if (!server) throw new InputError('OPTION_MISSING', { name: '--server', expected: `bauta ${help} --help` });
  return server;
}

const addressInvalid = (): BautaError =>
  toError('OPTION_INVALID', { name: '--server', expected: 'https://HOST, or http:// on this machine' });

async function readToken(reference: string): Promise<string> {
  if (reference === '') throw new InputError('OPTION_MISSING', { name: '--token', expected: 'bauta --help' });
  const [, kind, name = ''] = /^(env|file):(.+)$/.exec(reference) ?? [];
  const text = kind === 'env' ? process.env[name] : kind === 'file' ? await readFile(name, 'utf8').catch(() => undefined) : undefined;
  if (text === undefined || !/^[\x21-\x7e]+$/.test(text.trim()))
    throw new InputError('OPTION_INVALID', { name: '--token', expected: 'env:NAME or file:PATH of a token' });
  return text.trim();
}

/** JSON of the service whose texts hold no control character; undefined where it is none. */
export function parseAnswer(body: Buffer | string): unknown {
  try {
    return JSON.parse(body.toString('utf8'), (_, value: unknown) => (typeof value === 'string' ? stripControls(value) : value));
  } catch {
    return undefined;
  }
}

/** A problem, or the error in a run's summary; undefined where its code is not known here. */
export function toErrorOf(answer: unknown): BautaError | undefined {
  const { code, where, findings } = toMembers(answer);
  if (!isCode(code)) return undefined;
  return toError(code, toWhere(where), Array.isArray(findings) ? findings.flatMap((one) => toFindingOf(one) ?? []) : []);
}

function toFindingOf(answer: unknown): Finding | undefined {
  const { code, where, severity } = toMembers(answer);
  return isCode(code) ? toFinding(code, toWhere(where), severity === 'warning' ? 'warning' : 'error') : undefined;
}

const toMembers = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

const isCode = (code: unknown): code is ErrorCode => typeof code === 'string' && Object.hasOwn(messages, code);

const toWhere = (where: unknown): Where =>
  Object.fromEntries(Object.entries(toMembers(where)).filter(([, value]) => ['string', 'number'].includes(typeof value)));
