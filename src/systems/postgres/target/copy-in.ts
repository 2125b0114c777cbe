// One COPY FROM STDIN of one stream, with the server's pace: the next batch is asked for when the socket has taken the last one.
import type { Socket } from 'node:net';

import pg from 'pg';

import { type BautaError, toError } from '../../../kernel/errors.js';
import type { Masked } from '../../../pipeline/batch.js';
import type { DeliveryTable } from '../../../pipeline/delivery-plan.js';
import { quoteName, quoteQualified } from '../quote.js';
import type { Session } from './session.js';

/** Rows as the server counted them. After a failure the session MUST be ended: its protocol state is unknown. */
export function copyIn(session: Session, table: DeliveryTable, batches: AsyncIterable<Masked>): Promise<number> {
  return copy(session, table, batches, '');
}

/**
 * The same into a table that is empty and that nobody else loads. Truncated in the same transaction its rows come in frozen: no hint bits to
 * set and no visibility map to make later, so that keys are checked by reading indexes alone; and no WAL where the server's `wal_level` is
 * minimal, because the server then writes the table itself to disk at the commit.
 */
export async function copyInFrozen(session: Session, table: DeliveryTable, batches: AsyncIterable<Masked>): Promise<number> {
  await session.query('BEGIN');
  const rows = await copyFrozen(session, table, batches);
  await session.query('COMMIT');
  return rows;
}

/** The same in the caller's transaction. */
export async function copyFrozen(session: Session, table: DeliveryTable, batches: AsyncIterable<Masked>): Promise<number> {
  await session.query(`TRUNCATE ONLY ${quoteQualified(table.loadInto)}`);
  return copy(session, table, batches, ' WITH (FREEZE)');
}

/** Not through a partitioned root, whose rows the server does not freeze. */
export function isItself({ kind, schema, name, loadInto }: DeliveryTable): boolean {
  return kind === 'r' && loadInto.schema === schema && loadInto.name === name;
}

async function copy(session: Session, table: DeliveryTable, batches: AsyncIterable<Masked>, options: string): Promise<number> {
  const columns = table.columns.length === 0 ? '' : ` (${table.columns.map(({ name }) => quoteName(name)).join(', ')})`;
  const query = new CopyIn(`COPY ${quoteQualified(table.loadInto)}${columns} FROM STDIN${options}`);
  (session.client as { query(submittable: object): unknown }).query(query);
  const server = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      throw toCopyError(session, table, error);
    }
  };
  for await (const batch of batches) {
    await server(query.write(batch.bytes));
    batch.release?.();
  }
  return server(query.finish());
}

interface Connection {
  readonly stream: Socket;
  query(text: string): void;
  endCopyFrom(): void;
}

/** A query as pg runs it (`submit`, `handle…`). A batch is one CopyData message, written with its header in one call. */
export class CopyIn {
  #connection: Connection | undefined;
  #rows = 0;
  readonly #ready: Promise<void>;
  readonly #done: Promise<number>;
  #started!: () => void;
  #finished!: (rows: number) => void;
  #failed!: (error: unknown) => void;
  /** Wakes a write that waits for a socket which will take no more. */
  readonly #failure: Promise<never>;

  constructor(private readonly text: string) {
    this.#failure = new Promise((_, reject) => (this.#failed = reject));
    this.#failure.catch(() => undefined);
    this.#ready = new Promise((resolve) => (this.#started = resolve));
    this.#done = new Promise((resolve) => (this.#finished = resolve));
  }

  submit(connection: Connection): void {
    this.#connection = connection;
    connection.query(this.text);
  }

  /** Resolves when the socket has taken the bytes; rejects with what the server or the connection said. */
  async write(bytes: Uint8Array): Promise<void> {
    await Promise.race([this.#ready, this.#failure]);
    const { stream } = this.#connection as Connection;
    const header = Buffer.from([0x64, 0, 0, 0, 0]);
    header.writeUInt32BE(bytes.length + 4, 1);
    const taken = new Promise<void>((resolve, reject) => {
      stream.cork();
      stream.write(header);
      stream.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), (error) => (error ? reject(error) : resolve()));
      stream.uncork();
    });
    taken.catch(() => undefined);
    // The server's word comes first: a socket that breaks says less than the error before it.
    await Promise.race([this.#failure, taken]);
  }

  /** The rows that the server counted. */
  async finish(): Promise<number> {
    await Promise.race([this.#ready, this.#failure]);
    (this.#connection as Connection).endCopyFrom();
    return Promise.race([this.#done, this.#failure]);
  }

  /** pg overwrites it when a query time-out is set. */
  callback(): void {
    return undefined;
  }

  handleCopyInResponse(): void {
    this.#started();
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#rows = Number(/^COPY (\d+)/.exec(text)?.[1] ?? 0);
  }

  handleReadyForQuery(): void {
    this.#finished(this.#rows);
  }

  handleError(error: unknown): void {
    this.#failed(error);
  }
}

/** Where the server stopped: line and column stand in its context, beside the value, which stays there. */
function toCopyError(session: Session, table: DeliveryTable, error: unknown): BautaError {
  const place = { stage: 'deliver', schema: table.schema, table: table.name };
  if (!(error instanceof pg.DatabaseError) || !/^2[23]/.test(error.code ?? '')) {
    const ours = session.toError(error);
    return toError(ours.code, { ...ours.where, ...place });
  }
  const [, line, rest] = /, line (\d+)(?:, column (.*))?/s.exec(error.where ?? '') ?? [];
  // Only a name that the plan knows is taken out of the text; the longest, because one may begin another.
  const column =
    error.column ??
    table.columns
      .map(({ name }) => name)
      .filter((name) => rest?.startsWith(`${name}:`) || rest === name || rest?.startsWith(`${name}: null`))
      .sort((a, b) => b.length - a.length)[0];
  return toError('DELIVER_VALUE_REFUSED', {
    ...place,
    column,
    row: line === undefined ? undefined : Number(line),
    constraint: error.constraint,
    sqlState: error.code,
  });
}
