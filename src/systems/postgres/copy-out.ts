// hot path: every byte that is read from a server goes through here once. The payload of each CopyData message (one per row) is copied behind the
// last one, without an object per row. PostgreSQL manual, "Message Formats".
import type { Socket } from 'node:net';

import type pg from 'pg';

import { ChunkQueue } from './chunk-queue.js';
import { divert } from './reading-socket.js';

const copyData = 0x64;
const headerBytes = 5;
/** `H` CopyOutResponse and the messages that may come at any time: `N` notice, `S` parameter, `A` notification. */
const skipped: ReadonlySet<number> = new Set([0x48, 0x4e, 0x53, 0x41]);
/** Longer stretches go through the engine's own copy, whose call costs as much as this many bytes. */
const longest = 512;

interface Connection {
  readonly stream: Socket;
  query(text: string): void;
}

/**
 * The bytes of `COPY … TO STDOUT`, as chunks that may cut lines anywhere, each the consumer's until it asks for the next; the socket pauses when
 * the consumer does. A consumer that leaves early
 * lets the rest go by: it MUST end the session. Errors are the server's or the connection's own.
 */
export function copyOut(client: pg.Client, text: string): AsyncIterable<Uint8Array> {
  const query = new CopyOut(text);
  (client as { query(submittable: object): unknown }).query(query);
  return query.queue;
}

/** A query as pg runs it (`submit`, `handle…`), which takes the socket's data for itself until the copy is over. */
class CopyOut {
  readonly queue: ChunkQueue;
  #stream: Socket | undefined;
  /** Gives the data back to pg's own listener. */
  #giveBack: (() => void) | undefined;
  #listener: ((chunk: Buffer) => void) | undefined;
  readonly #header = Buffer.alloc(headerBytes);
  #headerFilled = 0;
  /** Bytes of the message at hand that are still to come, and whether they are data. */
  #left = 0;
  #isData = false;

  constructor(private readonly text: string) {
    this.queue = new ChunkQueue((paused) => (paused ? this.#stream?.pause() : this.#stream?.resume()));
  }

  submit(connection: Connection): void {
    const { stream } = connection;
    const listener = stream.listeners('data')[0] as (chunk: Buffer) => void;
    this.#stream = stream;
    this.#listener = listener;
    this.#giveBack = divert(stream, listener, (bytes) => this.#onData(bytes));
    connection.query(this.text);
  }

  /** pg overwrites it when a query time-out is set. */
  callback(): void {
    return undefined;
  }

  handleError(error: unknown): void {
    this.#standAside();
    this.queue.fail(error);
  }

  handleCommandComplete(): void {
    return undefined;
  }

  handleReadyForQuery(): void {
    this.queue.end();
  }

  #onData(bytes: Uint8Array): void {
    const { length } = bytes;
    const chunk = this.queue.reserve(length);
    const from = new DataView(bytes.buffer, bytes.byteOffset, length);
    const into = new DataView(chunk.memory.buffer, chunk.memory.byteOffset, chunk.memory.length);
    let at = 0;
    let to = chunk.filled;
    while (at < length) {
      if (this.#left > 0) {
        const count = Math.min(this.#left, length - at);
        if (this.#isData) {
          if (count > longest) chunk.memory.set(bytes.subarray(at, at + count), to);
          else copy(from, at, into, to, count);
          to += count;
        }
        at += count;
        this.#left -= count;
        continue;
      }
      while (at < length && this.#headerFilled < headerBytes) this.#header[this.#headerFilled++] = bytes[at++] as number;
      if (this.#headerFilled < headerBytes) break;
      const type = this.#header[0] as number;
      if (type !== copyData && !skipped.has(type)) {
        this.queue.grew(chunk, to - chunk.filled);
        return this.#handBack(bytes.subarray(at));
      }
      this.#left = this.#header.readUInt32BE(1) - 4;
      this.#isData = type === copyData;
      this.#headerFilled = 0;
    }
    this.queue.grew(chunk, to - chunk.filled);
  }

  /** The copy is over (CopyDone), or it failed: from this message on everything is pg's. */
  #handBack(rest: Uint8Array): void {
    const listener = this.#listener;
    this.#standAside();
    listener?.(Buffer.concat([this.#header, rest]));
  }

  #standAside(): void {
    this.#giveBack?.();
    this.#giveBack = undefined;
    this.#stream?.resume();
  }
}

/** Four bytes at a time, none beyond `count`. */
function copy(from: DataView, at: number, into: DataView, to: number, count: number): void {
  const words = count & ~3;
  for (let i = 0; i < words; i += 4) into.setInt32(to + i, from.getInt32(at + i, true), true);
  for (let i = words; i < count; i++) into.setUint8(to + i, from.getUint8(at + i));
}
