// The door of outgoing HTTP: everything that Bauta sends by HTTP goes through this client. https to listed hosts only; the address is looked up
// once, looked at, and then connected to, so that no name can point elsewhere in between; no redirect, no proxy, no compression; limits of time
// and size; and nothing of an answer or of a path (which may be a secret) in an error.
import { lookup as resolve } from 'node:dns/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request as send } from 'node:https';
import { isIP } from 'node:net';

import { BautaError, toError } from '../../kernel/errors.js';
import { isPermitted } from './address.js';
import { AllowedHosts } from './allowed-hosts.js';
import type { HttpAnswer, HttpRequest } from './exchange.js';

export { OperatorServer } from './operator-server.js';
export type { HttpAnswer, HttpRequest } from './exchange.js';
export { sendLocally } from './local.js';
export { type OwnRequest, OwnServer } from './own-server.js';
export { type TextAnswer, type TextRequest, createTextListener } from './witness-listener.js';
export { toWitnessSender } from './witness-sender.js';

export interface HttpClientOptions {
  /** BAUTA_HTTP_HOSTS. */
  readonly hosts: string;
  /** All addresses of a name; default: the system's. */
  readonly lookup?: (host: string) => Promise<readonly string[]>;
  /** Certificates beside those that Node trusts (NODE_EXTRA_CA_CERTS adds to them). */
  readonly ca?: string;
}

/** Throws HTTP_* for what is not allowed, not reachable or not read; an answer of any status but a redirect is an answer. */
export class HttpClient {
  private readonly hosts: AllowedHosts;
  private readonly lookup: (host: string) => Promise<readonly string[]>;

  constructor(private readonly options: HttpClientOptions) {
    this.hosts = AllowedHosts.parse(options.hosts);
    this.lookup = options.lookup ?? (async (host) => (await resolve(host, { all: true })).map(({ address }) => address));
  }

  async send(request: HttpRequest): Promise<HttpAnswer> {
    const url = parseUrl(request.url);
    const name = url.host;
    const networks = this.hosts.find(url);
    if (!networks) throw toError('HTTP_HOST_NOT_ALLOWED', { name });
    const { timeoutMs = 10_000, signal } = request;
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(toError('HTTP_TIMEOUT', { name, amount: `${timeoutMs} ms` })), timeoutMs);
    const onAbort = (): void => stop.abort(new Error('stopped'));
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener('abort', onAbort);
    try {
      const addresses = await untilStopped(this.resolve(url.hostname), stop.signal);
      if (!addresses.every((address) => isPermitted(address, networks))) throw toError('HTTP_ADDRESS_NOT_ALLOWED', { name });
      return await this.exchange(url, addresses, request, stop.signal);
    } catch (error) {
      throw toHttpError(stop.signal.aborted ? stop.signal.reason : error, name);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** One address that may not be is enough to refuse the name: whoever answers for it chose to say so. */
  private async resolve(hostname: string): Promise<readonly string[]> {
    const literal = hostname.replace(/^\[|\]$/g, '');
    const addresses = isIP(literal) ? [literal] : await this.lookup(hostname);
    if (addresses.length === 0) throw new Error('no address');
    return addresses;
  }

  private exchange(url: URL, addresses: readonly string[], request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const { method = 'GET', headers = {}, body, limitBytes = 1_048_576 } = request;
    const all = addresses.map((address) => ({ address, family: isIP(address) }));
    const agent = new Agent({ keepAlive: false });
    return new Promise((done, failed) => {
      const sent = send(url, {
        ...{ method, agent, signal, minVersion: 'TLSv1.2' },
        ...(this.options.ca === undefined ? {} : { ca: this.options.ca }),
        headers: { 'User-Agent': 'bauta', Accept: '*/*', ...headers, 'Accept-Encoding': 'identity', ...lengthOf(body) },
        lookup: (_host, { all: wantsAll }, give) => {
          if (wantsAll === true) give(null, all);
          else give(null, all[0]?.address ?? '', all[0]?.family);
        },
      });
      sent.once('error', failed);
      sent.once('response', (response) => {
        readAnswer(response, url.host, limitBytes).then(done, (error: unknown) => {
          sent.destroy();
          failed(toHttpError(error, url.host));
        });
      });
      sent.end(body);
    });
  }
}

/** Rejects with the reason as soon as there is one; a look-up cannot be stopped, only not waited for. */
async function untilStopped<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => undefined;
  const stopped = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' || url.username !== '' || url.password !== '' || url.hostname === '')
    throw toError('HTTP_ADDRESS_INVALID');
  return url;
}

async function readAnswer(response: IncomingMessage, name: string, limitBytes: number): Promise<HttpAnswer> {
  const { statusCode: status = 0, headers } = response;
  const refuse = (expected: string): BautaError => toError('HTTP_ANSWER_REFUSED', { name, expected });
  // 304 leads nowhere: it says that what one has is still it.
  if (status >= 300 && status < 400 && status !== 304) throw refuse('no redirect');
  if (!['identity', undefined].includes(headers['content-encoding']?.toLowerCase())) throw refuse('no compression');
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > limitBytes) throw refuse(`at most ${limitBytes} bytes`);
    chunks.push(chunk);
  }
  return { status, headers, body: Buffer.concat(chunks) };
}

const lengthOf = (body: string | Uint8Array | undefined): Record<string, number> =>
  body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };

/** Node's own words quote the host's answer; its codes say enough. */
function toHttpError(error: unknown, name: string): BautaError {
  if (error instanceof BautaError) return error;
  const code = (error as Partial<NodeJS.ErrnoException> | null)?.code ?? '';
  return /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH/.test(code)
    ? toError('HTTP_CERTIFICATE_REFUSED', { name })
    : toError('HTTP_UNREACHABLE', { name });
}
