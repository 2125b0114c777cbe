// What a witness listens with: one small text in, one out, over TLS where it has a certificate; limits of time and size.
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

export interface TextRequest {
  readonly method: string;
  readonly path: string;
  /** Undefined: more than 64 KiB, which nobody reads. */
  readonly body: string | undefined;
}

export interface TextAnswer {
  readonly status: number;
  readonly text: string;
  /** text/plain where nothing else is said. */
  readonly type?: string;
}

const MOST_BYTES = 65_536;

/** Not listening yet. `answer` MUST NOT reject. */
export function createTextListener(answer: (request: TextRequest) => Promise<TextAnswer>, tls?: { cert: string; key: string }): Server {
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    void handle(request, response, answer);
  };
  const server = tls === undefined ? createServer(onRequest) : createTlsServer({ ...tls, minVersion: 'TLSv1.2' }, onRequest);
  // Who sends his request drop by drop holds a connection for so long at most.
  return Object.assign(server, { headersTimeout: 10_000, requestTimeout: 20_000, maxConnections: 200 });
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (request: TextRequest) => Promise<TextAnswer>,
): Promise<void> {
  const { method = '', url = '' } = request;
  const body = await readBody(request).catch(() => null);
  // Cut in the middle: there is nobody to answer.
  if (body === null) return void response.destroy();
  const { status, text, type = 'text/plain; charset=utf-8' } = await answer({ method, path: url, body });
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text), 'Cache-Control': 'no-store' });
  response.end(text);
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
