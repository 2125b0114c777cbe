import { EventEmitter } from 'node:events';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type pg from 'pg';

import { cutSlowly } from '../../../test/laws/copy-lines.reference.js';
import { type Lines, copyOut } from './copy-out.js';

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

async function readAll(lines: AsyncIterable<Lines>): Promise<{ bytes: number[]; rows: number }[]> {
  const batches = [];
  for await (const { bytes, rows } of lines) batches.push({ bytes: [...bytes], rows });
  return batches;
}

const room = (batchBytes: number): { batchBytes: number; take: (bytes: number) => Uint8Array } => ({
  batchBytes,
  take: (bytes) => new Uint8Array(bytes),
});

const opening = toMessage('H', Buffer.from([0, 0, 0]));
const ending = Buffer.concat([toMessage('c', Buffer.alloc(0)), toMessage('C', Buffer.from('COPY 3\0')), toMessage('Z', Buffer.from('I'))]);

describe('copyOut', () => {
  it('cuts batches of whole lines as its slow twin does, wherever socket and messages cut, and leaves the rest to pg', async () => {
    // Line ends, and the bytes next to them in value, are frequent; most messages are a row, but none of it is believed.
    const byte = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(0, 9, 10, 11, 0x8a, 0xff) }, { weight: 5, arbitrary: fc.nat(255) });
    const payload = fc.oneof(
      { weight: 6, arbitrary: fc.array(byte, { maxLength: 60 }).map((bytes) => [...bytes.filter((value) => value !== 10), 10]) },
      { weight: 2, arbitrary: fc.array(byte, { maxLength: 200 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 3000 }).map((length) => [...new Array<number>(length).fill(7), 10]) },
    );
    const message = fc.record({ bytes: payload, data: fc.integer({ min: 0, max: 8 }).map((one) => one > 0) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(message, { maxLength: 40 }).map((list) => [...list, { bytes: [10], data: true }]),
        fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 1 }),
        fc.integer({ min: 1, max: 300 }),
        async (messages, sizes, batchBytes) => {
          const { client, stream, heard, ready } = createClient();
          const all = readAll(copyOut(client, 'COPY t TO STDOUT', room(batchBytes)));
          const parts = messages.map(({ bytes, data }) => toMessage(data ? 'd' : 'N', Uint8Array.from(bytes)));
          const wire = Buffer.concat([opening, ...parts, ending]);
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
          const data = messages.filter((one) => one.data).map(({ bytes }) => Uint8Array.from(bytes));
          expect(await all).toEqual(cutSlowly(data, batchBytes));
          expect(Buffer.concat(heard)).toEqual(ending);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('makes a line that is longer than a batch, and than what a socket gives at once, a batch of its own', async () => {
    const { client, stream, ready } = createClient();
    const all = readAll(copyOut(client, 'COPY t TO STDOUT', room(64)));
    const long = Buffer.alloc(300_001, 'x').fill('\n', 300_000);
    stream.emit(
      'data',
      Buffer.concat([toMessage('d', Buffer.from('a\n')), toMessage('d', long), toMessage('d', Buffer.from('b\n')), ending]),
    );
    ready();
    expect((await all).map(({ bytes, rows }) => [bytes.length, rows])).toEqual([[2, 1], [300_001, 1], [2, 1]]); // prettier-ignore
  });

  it('refuses a copy that ends in the middle of a line', async () => {
    const { client, stream, ready } = createClient();
    const all = readAll(copyOut(client, 'COPY t TO STDOUT'));
    stream.emit('data', Buffer.concat([toMessage('d', Buffer.from('a\nb')), ending]));
    ready();
    await expect(all).rejects.toMatchObject({ code: 'EXTRACT_LINE_CUT' });
  });

  it('pauses the socket while nobody reads, however much comes', async () => {
    const { client, stream, ready } = createClient();
    const lines = copyOut(client, 'COPY t TO STDOUT');
    for (let i = 0; i < 20; i++) stream.emit('data', toMessage('d', Buffer.alloc(60_000, 65 + i).fill('\n', 59_999)));
    expect(stream.pauses).toBe(1);
    stream.emit('data', ending);
    ready();
    expect((await readAll(lines)).reduce((sum, { rows }) => sum + rows, 0)).toBe(20);
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
