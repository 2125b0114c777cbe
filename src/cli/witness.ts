// `bauta witness`: a small process that a customer or an auditor runs, elsewhere than the log. It cosigns what follows from what it has seen, and so makes a
// past that was rewritten later visible. It knows public keys of logs and nothing of what is in them.
import { mkdir, readFile } from 'node:fs/promises';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { systemClock } from '../kernel/clock.js';
import { formatWitnessKey } from '../kernel/cosignature.js';
import { toError, toKnownError } from '../kernel/errors.js';
import { type Verifier, parseVerifierKey } from '../kernel/signed-note.js';
import { answerSubmission } from '../pipeline/audit/audit.js';
import { WitnessFolder, withWriteLock } from '../systems/files/files.js';
import { stripControls } from './print.js';

export interface WitnessOptions {
  readonly folder: string;
  readonly name?: string;
  readonly log?: readonly string[];
  readonly listen: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** A checkpoint is 200 bytes, a proof at most 63 lines. */
const MOST_BYTES = 65_536;

/** Until SIGINT or SIGTERM. */
export async function witness(options: WitnessOptions): Promise<number> {
  const { host, port } = parseListen(options.listen);
  const logs = await readLogKeys(options.log ?? []);
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  return withWriteLock(options.folder, async () => {
    const folder = await WitnessFolder.open(options.folder, options.name);
    const server = await createListener(options, new Desk(folder, logs));
    await listen(server, host, port);
    const { address, family, port: bound } = server.address() as AddressInfo;
    const at = `${options.tlsCert === undefined ? 'http' : 'https'}://${family === 'IPv6' ? `[${address}]` : address}:${bound}`;
    say(`witness ${folder.cosigner.witness.name} of ${logs.map(({ name }) => name).join(', ')} on ${at}`);
    process.stdout.write(`witness NAME ${formatWitnessKey(folder.cosigner.witness)} ${at}\n`);
    await new Promise<void>((stop) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop());
    });
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    return 0;
  });
}

/** One submission at a time: what was seen last and what is cosigned next are one step. */
class Desk {
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly folder: WitnessFolder,
    private readonly logs: readonly Verifier[],
  ) {}

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '' } = request;
    const [, hash = ''] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(url) ?? [];
    if (method === 'POST' && url === '/add-checkpoint') return this.take(request, response);
    if (method === 'GET' && url === '/healthz') return end(response, 200, 'ok\n');
    const note = method === 'GET' && hash !== '' ? await this.folder.seenByHash(hash) : undefined;
    end(response, note === undefined ? 404 : 200, note ?? '');
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request);
    if (body === undefined) return end(response, 413, '');
    const mine = this.#turn.then(() => this.submit(body));
    this.#turn = mine.catch(() => undefined);
    const { status, text, type } = await mine;
    end(response, status, text, type);
  }

  private async submit(body: string): Promise<{ status: number; text: string; type?: string }> {
    const { folder, logs } = this;
    const answer = await answerSubmission(body, {
      ...{ cosigner: folder.cosigner, logs, seen: (origin) => folder.seen(origin) },
      now: () => Math.floor(systemClock.now() / 1000),
    });
    if (answer.status === 409) return { status: 409, text: `${answer.size}\n`, type: 'text/x.tlog.size' };
    if (answer.status !== 200) {
      say(`refused with ${answer.status}`);
      return { status: answer.status, text: '' };
    }
    await folder.remember(answer.checkpoint.origin, answer.note);
    say(`cosigned ${answer.checkpoint.origin} with ${answer.checkpoint.size} entries`);
    return { status: 200, text: answer.lines };
  }
}

async function createListener({ tlsCert, tlsKey }: WitnessOptions, desk: Desk): Promise<Server> {
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    desk.answer(request, response).catch((error: unknown) => {
      say(`failed: ${toKnownError(error).code}`);
      end(response, 500, '');
    });
  };
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw toError('OPTION_MISSING', { name: '--tls-cert with --tls-key', expected: 'bauta witness --help' });
  const server =
    tlsCert === undefined || tlsKey === undefined
      ? createServer(onRequest)
      : createTlsServer({ cert: await readPem(tlsCert), key: await readPem(tlsKey), minVersion: 'TLSv1.2' }, onRequest);
  // Who sends his request drop by drop holds a connection for so long at most.
  return Object.assign(server, { headersTimeout: 10_000, requestTimeout: 20_000, maxConnections: 200 });
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function end(response: ServerResponse, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text), 'Cache-Control': 'no-store' });
  response.end(text);
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((listening, failed) => {
    server.once('error', () => failed(toError('WITNESS_ADDRESS_TAKEN', { name: `${host}:${port}` })));
    server.listen(port, host, () => listening());
  });
}

function parseListen(text: string): { host: string; port: number } {
  const [, host = '', port = ''] = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(\d{1,5})$/.exec(text) ?? [];
  if (host === '' || Number(port) > 65_535)
    throw toError('OPTION_INVALID', { name: '--listen', expected: 'HOST:PORT, as in 127.0.0.1:8455' });
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

async function readLogKeys(files: readonly string[]): Promise<readonly Verifier[]> {
  if (files.length === 0) throw toError('OPTION_MISSING', { name: '--log', expected: 'bauta witness --help' });
  return Promise.all(
    files.map(async (file) => {
      const verifier = parseVerifierKey(await readFile(file, 'utf8').catch(() => ''));
      if (!verifier) throw toError('PUBLIC_KEY_INVALID', { file });
      return verifier;
    }),
  );
}

async function readPem(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => {
    throw toError('KEY_FILE_INVALID', { file });
  });
}

const say = (line: string): void => void process.stderr.write(`${stripControls(line)}\n`);
