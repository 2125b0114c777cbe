// A schema registry that takes every schema; on this machine, where it may be asked in clear.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Registry {
  readonly url: string;
  /** Bodies, in their order: the id of a schema is its place, from 1. */
  readonly schemas: readonly string[];
  readonly logins: ReadonlySet<string>;
  close(): Promise<void>;
}

/** MUST be closed. */
export async function startRegistry(): Promise<Registry> {
  const schemas: string[] = [];
  const logins = new Set<string>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      logins.add(request.headers.authorization ?? '');
      response.end(JSON.stringify({ id: schemas.push(Buffer.concat(chunks).toString('utf8')) }));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> => new Promise((done) => server.close(() => done()));
  return { url: `http://127.0.0.1:${port}`, schemas, logins, close };
}
