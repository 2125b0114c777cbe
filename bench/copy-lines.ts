// Rows in the frames of COPY … TO STDOUT, as they come from a socket, to batches of whole lines, beside its ceiling: copying the same bytes twice.
// Usage: node dist/bench/copy-lines.js
import { EventEmitter } from 'node:events';

import type pg from 'pg';

import { copyOut } from '../src/systems/postgres/copy-out.js';

const line =
  '12345\tanna@example.org\tAnna\tSmith\t+44 20 7946 0000\t2026-01-01 00:00:00\ta note of a usual length, some 145 bytes with the rest of the row\n';
const batchBytes = 256 * 1024;
const chunkBytes = 64 * 1024;

function toMessage(type: string, payload: Buffer): Buffer {
  const header = Buffer.from([type.charCodeAt(0), 0, 0, 0, 0]);
  header.writeUInt32BE(payload.length + 4, 1);
  return Buffer.concat([header, payload]);
}

const frames = Buffer.concat(Array.from({ length: 4_500 }, () => toMessage('d', Buffer.from(line))));

async function cut(rounds: number): Promise<number> {
  const stream = Object.assign(new EventEmitter(), { pause: () => undefined, resume: () => undefined });
  stream.on('data', () => undefined);
  let query: { submit(connection: object): void; handleReadyForQuery(): void } | undefined;
  const client = { query: (submitted: typeof query) => (query = submitted)?.submit({ stream, query: () => undefined }) };
  const free: Uint8Array[] = [];
  const take = (bytes: number): Uint8Array => (free.pop() ?? new Uint8Array(new SharedArrayBuffer(batchBytes))).subarray(0, bytes);
  const lines = copyOut(client as unknown as pg.Client, '', { batchBytes, take });
  const read = (async () => {
    let bytes = 0;
    for await (const batch of lines) {
      bytes += batch.bytes.length;
      free.push(new Uint8Array(batch.bytes.buffer));
    }
    return bytes;
  })();
  for (let round = 0; round < rounds; round++) {
    for (let at = 0; at < frames.length; at += chunkBytes) stream.emit('data', frames.subarray(at, at + chunkBytes));
    await new Promise((resolve) => setImmediate(resolve));
  }
  stream.emit('data', toMessage('c', Buffer.alloc(0)));
  query?.handleReadyForQuery();
  return read;
}

function copyTwice(rounds: number): Promise<number> {
  const [one, other] = [new Uint8Array(chunkBytes), new Uint8Array(new SharedArrayBuffer(chunkBytes))];
  for (let round = 0; round < rounds; round++) {
    for (let at = 0; at < frames.length; at += chunkBytes) {
      const chunk = frames.subarray(at, at + chunkBytes);
      one.set(chunk);
      other.set(one);
    }
  }
  return Promise.resolve(frames.length * rounds);
}

async function measure(work: (rounds: number) => Promise<number>): Promise<number> {
  await work(50);
  const begun = process.cpuUsage();
  const bytes = await work(600);
  const { user, system } = process.cpuUsage(begun);
  return bytes / (user + system);
}

process.stdout.write(
  `copy-lines ${(await measure(cut)).toFixed(0)} MB/s, ceiling (two copies) ${(await measure(copyTwice)).toFixed(0)} MB/s\n`,
);
