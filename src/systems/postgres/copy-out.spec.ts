import { EventEmitter } from 'node:events';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type pg from 'pg';

import { copyOut } from './copy-out.js';

/** As much of a client as a submitted query sees: its socket, and what pg heard. */
function createClient(): {
  client: pg.Client;
  stream: EventEmitter & { pauses: number };
  heard: Buffer[];
  ready: () => void;
  fail: (error: Error) => void;
} {
  const stream = Object.assign(new EventEmitter(), { pauses: 0, pause: () => stream.pauses++, resume: () => undefined });
  const heard: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => heard.push(chunk));
  type Query = { submit(connection: object): void; handleReadyForQuery(): void; handleError(error: Error): void };
  let query: Query | undefined;
  const client = {
    query: (submitted: Query) => {
      query = submitted;
      submitted.submit({ stream, query: () => undefined });
    },
  };
  return {
    client: client as unknown as pg.Client,
    stream,
    heard,
    ready: () => query?.handleReadyForQuery(),
    fail: (error) => query?.handleError(error),
  };
}

function toMessage(type: string, payload: Uint8Array): Buffer {
  const header = Buffer.from([type.charCodeAt(0), 0, 0, 0, 0]);
  header.writeUInt32BE(payload.length + 4, 1);
  return Buffer.concat([header, payload]);
}

async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

const opening = toMessage('H', Buffer.from([0, 0, 0]));
const ending = Buffer.concat([toMessage('c', Buffer.alloc(0)), toMessage('C', Buffer.from('COPY 3\0')), toMessage('Z', Buffer.from('I'))]);

describe('copyOut', () => {
  it('gives the payload of every row wherever the socket cuts, and leaves the rest to pg', async () => {
    const payload = fc.uint8Array({ maxLength: 1500 });
    const message = fc.oneof(
      { weight: 8, arbitrary: payload.map((bytes) => ({ bytes, data: true })) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }).map((bytes) => ({ bytes, data: false })) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1 }),
        async (messages, sizes) => {
          const { client, stream, heard, ready } = createClient();
          const all = readAll(copyOut(client, 'COPY t TO STDOUT'));
          const wire = Buffer.concat([opening, ...messages.map(({ bytes, data }) => toMessage(data ? 'd' : 'N', bytes)), ending]);
          for (let at = 0, i = 0; at < wire.length; i++) {
            const size = sizes[i % sizes.length] as number;
            // The socket's buffer is used again: nothing of it may be kept.
            const chunk = Buffer.from(wire.subarray(at, at + size));
            stream.emit('data', chunk);
            if (heard.length === 0) chunk.fill(0xee);
            at += size;
            if (i % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
          }
          ready();
          expect(await all).toEqual(Buffer.concat(messages.filter(({ data }) => data).map(({ bytes }) => bytes)));
          expect(Buffer.concat(heard)).toEqual(ending);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('pauses the socket while nobody reads, however much comes', async () => {
    const { client, stream, ready } = createClient();
    const chunks = copyOut(client, 'COPY t TO STDOUT');
    for (let i = 0; i < 20; i++) stream.emit('data', toMessage('d', Buffer.alloc(60_000, i)));
    expect(stream.pauses).toBe(1);
    stream.emit('data', ending);
    ready();
    expect((await readAll(chunks)).length).toBe(20 * 60_000);
  });

  it('throws what the server said, and hands the message to pg', async () => {
    const { client, stream, heard, fail } = createClient();
    const all = readAll(copyOut(client, 'COPY t TO STDOUT'));
    const refusal = toMessage('E', Buffer.from('CXX000\0\0'));
    stream.emit('data', Buffer.concat([toMessage('d', Buffer.from('1\n')), refusal]));
    expect(Buffer.concat(heard)).toEqual(refusal);
    fail(new Error('refused'));
    await expect(all).rejects.toThrow('refused');
  });
});
