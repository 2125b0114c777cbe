// The client of one's own service: whoever types the address says where it may be, so that no list of hosts has a say; but it is https with a
// certificate that is verified whatever the environment says, or this very machine. No redirect, no proxy, no compression; an answer has a limit.
import { type ClientRequest, type IncomingMessage, type RequestOptions, request as sendHere } from 'node:http';
import { request as sendThere } from 'node:https';

import { BautaError, toError } from '../../kernel/errors.js';
import type { LogFiles } from '../../pipeline/audit/audit.js';

export interface OwnRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** From the root of the service on. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface OwnAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

const TIMEOUT_MS = 30_000;
const LIMIT_BYTES = 16 << 20;
const refusedCertificate = /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH/;

export class OwnServer {
  private constructor(
    private readonly base: URL,
    private readonly token: string,
  ) {}

  /** Undefined where the address is neither https nor of this machine, or has a password in it. */
  static open(address: string, token: string): OwnServer | undefined {
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (!url || !(url.protocol === 'https:' || isLoopback(url)) || url.username !== '' || url.password !== '') return undefined;
    return new OwnServer(url, token);
  }

  get host(): string {
    return this.base.host;
  }

  /** An answer of any status but a redirect. Throws SERVER_UNREACHABLE, HTTP_CERTIFICATE_REFUSED, HTTP_TIMEOUT or HTTP_ANSWER_REFUSED. */
  async ask(request: OwnRequest): Promise<OwnAnswer> {
    const stop = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const answer = await this.open(request, stop);
      const { statusCode: status = 0, headers } = answer;
      return { status, headers, body: await readAll(answer, this.host) };
    } catch (error) {
      throw stop.aborted ? toError('HTTP_TIMEOUT', { name: this.host, amount: `${TIMEOUT_MS / 1000} s` }) : this.toOurs(error);
    }
  }

  /** The answer while it comes: its end is the caller's to see, and what cuts it is an end, too. Throws as `ask`. */
  async stream(path: string, headers: OwnRequest['headers'] = {}, silentMs = TIMEOUT_MS): Promise<OwnStream> {
    try {
      const answer = await this.open({ method: 'GET', path, headers }, undefined, silentMs);
      const { statusCode: status = 0, headers: said } = answer;
      if (status !== 200 && status !== 206) return { status, headers: said, body: await readAll(answer, this.host) };
      return { status, headers: said, pieces: piecesOf(answer), close: () => void answer.destroy() };
    } catch (error) {
      throw this.toOurs(error);
    }
  }

  /** The service's log, as files. Reading throws TOKEN_INVALID, ACCESS_DENIED or as `ask`; what is not there is undefined. */
  log(): LogFiles {
    const get = async (path: string): Promise<Buffer | undefined> => {
      const { status, body } = await this.ask({ method: 'GET', path: `/v1/audit/log${path}` });
      if (status === 401) throw toError('TOKEN_INVALID');
      if (status === 403) throw toError('ACCESS_DENIED', { name: 'audit:read', expected: 'auditor' });
      if (status === 404) return undefined;
      if (status !== 200) throw toError('HTTP_ANSWER_REFUSED', { name: this.host, expected: '200 or 404' });
      return body;
    };
    return {
      read: (path) => get(`/${path}`),
      // A server has no folders to look into: only the chain itself is listed.
      list: async (path) => (path === '' ? parseNames(await get(''), this.host) : []),
    };
  }

  /** Resolves with the head of the answer. `silentMs`: for so long nothing may come. */
  private open(request: OwnRequest, signal?: AbortSignal, silentMs?: number): Promise<IncomingMessage> {
    const url = new URL(request.path, this.base);
    // The path is ours, but a part of it may be what somebody typed.
    if (url.host !== this.base.host) throw toError('HTTP_ADDRESS_INVALID');
    return new Promise((done, failed) => {
      const sent = this.send(url, { method: request.method, headers: this.headersOf(request), ...(signal ? { signal } : {}) });
      if (silentMs !== undefined) sent.setTimeout(silentMs, () => void sent.destroy(new Error('silent')));
      sent.once('error', failed);
      sent.once('response', (answer) => {
        const { statusCode: status = 0, headers } = answer;
        const expected = status >= 300 && status < 400 ? 'no redirect' : headers['content-encoding'] ? 'no compression' : undefined;
        if (expected === undefined) return done(answer);
        sent.destroy();
        failed(toError('HTTP_ANSWER_REFUSED', { name: this.host, expected }));
      });
      sent.end(request.body);
    });
  }

  /** Without TLS to this machine only, whatever its name leads to elsewhere. */
  private send(url: URL, options: RequestOptions): ClientRequest {
    if (url.protocol === 'https:') return sendThere(url, { ...options, agent: false, rejectUnauthorized: true, minVersion: 'TLSv1.2' });
    return sendHere(url, { ...options, agent: false, host: url.hostname === '[::1]' ? '::1' : '127.0.0.1' });
  }

  private headersOf({ headers, body }: OwnRequest): Readonly<Record<string, string | number>> {
    return {
      ...{ Authorization: `Bearer ${this.token}`, 'User-Agent': 'bauta', 'Accept-Encoding': 'identity', ...headers },
      ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }),
    };
  }

  /** Node's own words quote the host's answer; its codes say enough. */
  private toOurs(error: unknown): BautaError {
    if (error instanceof BautaError) return error;
    const code = (error as Partial<NodeJS.ErrnoException> | null)?.code ?? '';
    return toError(refusedCertificate.test(code) ? 'HTTP_CERTIFICATE_REFUSED' : 'SERVER_UNREACHABLE', { name: this.host });
  }
}

/** Either an answer that is no stream, or its pieces. */
export type OwnStream =
  | (Answered & { readonly status: number; readonly body: Buffer; readonly pieces?: never; readonly close?: never })
  | (Answered & { readonly status: 200 | 206; readonly pieces: AsyncIterable<Buffer>; readonly close: () => void; readonly body?: never });

interface Answered {
  readonly headers: IncomingMessage['headers'];
}

const isLoopback = ({ protocol, hostname }: URL): boolean => protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);

async function readAll(answer: IncomingMessage, name: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of answer as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > LIMIT_BYTES) throw toError('HTTP_ANSWER_REFUSED', { name, expected: `at most ${LIMIT_BYTES} bytes` });
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

async function* piecesOf(answer: IncomingMessage): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) yield piece;
  } catch {
    // A connection that was cut: whoever reads asks again from where he was.
  }
}

function parseNames(body: Buffer | undefined, name: string): readonly string[] {
  try {
    const { logs } = JSON.parse(body?.toString('utf8') ?? '') as { logs: readonly { readonly name: unknown }[] };
    return logs.map((log) => log.name).filter((one) => typeof one === 'string');
  } catch {
    throw toError('HTTP_ANSWER_REFUSED', { name, expected: 'the list of logs' });
  }
}
