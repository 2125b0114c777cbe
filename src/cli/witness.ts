// `bauta witness`: a small process that a customer or an auditor runs, elsewhere than the log. It cosigns what follows from what it has seen, and so makes a
// past that was rewritten later visible. It knows public keys of logs and nothing of what is in them.
import { mkdir, readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { systemClock } from '../kernel/clock.js';
import { formatWitnessKey } from '../kernel/cosignature.js';
import { toError, toKnownError } from '../kernel/errors.js';
import type { Verifier } from '../kernel/signed-note.js';
import { answerSubmission } from '../pipeline/audit/audit.js';
import { WitnessFolder, withWriteLock } from '../systems/files/files.js';
import { type TextAnswer, type TextRequest, createTextListener } from '../systems/http/http.js';
import { stripControls } from './print.js';
import { readVerifier } from './verifier-key.js';

export interface WitnessOptions {
  readonly folder: string;
  readonly name?: string;
  readonly log?: readonly string[];
  readonly listen: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

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

  async answer({ method, path, body }: TextRequest): Promise<TextAnswer> {
    const [, hash = ''] = /^\/([0-9a-f]{64})\/checkpoint$/.exec(path) ?? [];
    if (method === 'POST' && path === '/add-checkpoint') return body === undefined ? { status: 413, text: '' } : this.take(body);
    if (method === 'GET' && path === '/healthz') return { status: 200, text: 'ok\n' };
    const note = method === 'GET' && hash !== '' ? await this.folder.seenByHash(hash) : undefined;
    return { status: note === undefined ? 404 : 200, text: note ?? '' };
  }

  private take(body: string): Promise<TextAnswer> {
    const mine = this.#turn.then(() => this.submit(body));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  private async submit(body: string): Promise<TextAnswer> {
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
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw toError('OPTION_MISSING', { name: '--tls-cert with --tls-key', expected: 'bauta witness --help' });
  const tls = tlsCert === undefined || tlsKey === undefined ? undefined : { cert: await readPem(tlsCert), key: await readPem(tlsKey) };
  const answer = (request: TextRequest): Promise<TextAnswer> =>
    desk.answer(request).catch((error: unknown) => {
      say(`failed: ${toKnownError(error).code}`);
      return { status: 500, text: '' };
    });
  return createTextListener(answer, tls);
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
  return Promise.all(files.map(readVerifier));
}

async function readPem(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => {
    throw toError('KEY_FILE_INVALID', { file });
  });
}

const say = (line: string): void => void process.stderr.write(`${stripControls(line)}\n`);
