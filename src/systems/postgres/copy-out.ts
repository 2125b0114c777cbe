// hot path: every byte that is read from a server goes through here once, on its way from the socket's buffer to a batch of whole lines. The
// kernel is WebAssembly (pipeline/extract/kernel/assembly/copy-lines.ts); this file feeds it.
import type { Socket } from 'node:net';

import type pg from 'pg';

import { toError } from '../../kernel/errors.js';
import { type WasmMemory, loadWasm } from '../../kernel/wasm.js';
import { type Lines, LineQueue } from './line-queue.js';
import { divert } from './reading-socket.js';

export type { Lines } from './line-queue.js';

/** Of the kernel, as it has it. */
interface Kernel {
  readonly memory: WasmMemory;
  begin(input: number, batch: number): number;
  take(length: number): void;
  advance(): number;
  batch(): number;
  length(all: boolean): number;
  isWhole(): number;
  rows(count: number): number;
  drop(count: number): void;
  position(): number;
  messageType(): number;
  messageSize(): number;
}

const copyDone = 0x63;
const batchReady = 1;
const otherMessage = 2;
const inputBytes = 64 * 1024;
const mostIdleBytes = 4 * 1024 * 1024;
/** For readers that do not say how large a batch is. */
const usualBytes = 256 * 1024;

export interface LinesRoom {
  /** A batch is as many whole lines as fit into so many bytes; a line longer than that is a batch of its own. */
  readonly batchBytes: number;
  /** Memory for one batch. */
  readonly take: (bytes: number) => Uint8Array;
}

interface Connection {
  readonly stream: Socket;
  query(text: string): void;
}

/** Kernels that no copy uses at the moment: each has memory of its own. */
const idle: Kernel[] = [];

/**
 * The lines of `COPY … TO STDOUT` in batches that do not depend on where the socket cuts; the socket pauses when the consumer does. A consumer
 * that leaves early lets the rest go by: it MUST end the session. Errors are the server's or the connection's own, and EXTRACT_LINE_CUT when
 * the last line has no end.
 */
export function copyOut(
  client: pg.Client,
  text: string,
  room: LinesRoom = { batchBytes: usualBytes, take: (bytes) => new Uint8Array(bytes) },
): AsyncIterable<Lines> {
  const query = new CopyOut(text, room);
  (client as { query(submittable: object): unknown }).query(query);
  return query.queue;
}

/** The same for a consumer that looks at the lines only until it asks for the next: the memory is used again. */
export async function* copyOutChunks(client: pg.Client, text: string): AsyncGenerator<Uint8Array, void, undefined> {
  const free: Uint8Array[] = [];
  const take = (bytes: number): Uint8Array =>
    bytes <= usualBytes ? (free.pop() ?? new Uint8Array(usualBytes)).subarray(0, bytes) : new Uint8Array(bytes);
  for await (const { bytes } of copyOut(client, text, { batchBytes: usualBytes, take })) {
    yield bytes;
    if (bytes.buffer.byteLength === usualBytes) free.push(new Uint8Array(bytes.buffer));
  }
}

/** A query as pg runs it (`submit`, `handle…`), which takes the socket's data for itself until the copy is over. */
class CopyOut {
  readonly queue: LineQueue;
  #stream: Socket | undefined;
  /** Gives the data back to pg's own listener. */
  #giveBack: (() => void) | undefined;
  #listener: ((chunk: Buffer) => void) | undefined;
  #kernel: Kernel | undefined;
  #inputAt = 0;

  constructor(
    private readonly text: string,
    private readonly room: LinesRoom,
  ) {
    this.queue = new LineQueue(room.batchBytes, (paused) => (paused ? this.#stream?.pause() : this.#stream?.resume()));
  }

  submit(connection: Connection): void {
    const { stream } = connection;
    const listener = stream.listeners('data')[0] as (chunk: Buffer) => void;
    this.#stream = stream;
    this.#listener = listener;
    this.#kernel = idle.pop() ?? loadWasm<Kernel>('copy-lines');
    this.#inputAt = this.#kernel.begin(inputBytes, this.room.batchBytes);
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
    const kernel = this.#kernel as Kernel;
    for (let from = 0; from < bytes.length; from += inputBytes) {
      const part = bytes.subarray(from, from + inputBytes);
      new Uint8Array(kernel.memory.buffer).set(part, this.#inputAt);
      kernel.take(part.length);
      for (let state = kernel.advance(); state !== 0; state = kernel.advance()) {
        if (state === otherMessage) return this.#finish(kernel, bytes.subarray(from + kernel.position()));
        if (state === batchReady) this.#emit(kernel, kernel.length(false));
      }
    }
  }

  #emit(kernel: Kernel, length: number): void {
    // Nobody reads on: what still comes goes by, so that the connection's end is heard.
    if (!this.queue.abandoned) {
      const bytes = this.room.take(length);
      bytes.set(new Uint8Array(kernel.memory.buffer, kernel.batch(), length));
      this.queue.add({ bytes, rows: kernel.rows(length) });
    }
    kernel.drop(length);
  }

  /** The copy is over (CopyDone), or it failed: from this message on everything is pg's. */
  #finish(kernel: Kernel, rest: Uint8Array): void {
    const header = Buffer.alloc(5);
    header[0] = kernel.messageType();
    header.writeUInt32BE(kernel.messageSize() >>> 0, 1);
    const length = kernel.length(true);
    if (header[0] === copyDone && kernel.isWhole() === 0) this.queue.fail(toError('EXTRACT_LINE_CUT', { stage: 'extract' }));
    else if (length > 0) this.#emit(kernel, length);
    const listener = this.#listener;
    this.#standAside();
    listener?.(Buffer.concat([header, rest]));
  }

  #standAside(): void {
    // A long line made its memory large.
    if (this.#kernel && this.#kernel.memory.buffer.byteLength <= mostIdleBytes) idle.push(this.#kernel);
    this.#kernel = undefined;
    this.#giveBack?.();
    this.#giveBack = undefined;
    this.#stream?.resume();
  }
}
