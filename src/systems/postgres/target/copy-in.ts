// One COPY FROM STDIN of one stream, with the server's pace: the socket's back-pressure reaches the batches' maker.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

import { type BautaError, toError } from '../../../kernel/errors.js';
import type { Masked } from '../../../pipeline/batch.js';
import type { TablePlan } from '../../../pipeline/plan.js';
import { quoteName, quoteQualified } from '../quote.js';
import type { Session } from './session.js';

/** Rows as the server counted them. After a failure the session MUST be ended: its protocol state is unknown. */
export async function copyIn(session: Session, table: TablePlan, batches: AsyncIterable<Masked>): Promise<number> {
  const columns = table.columns.length === 0 ? '' : ` (${table.columns.map(({ name }) => quoteName(name)).join(', ')})`;
  const stream = session.client.query(copyFrom(`COPY ${quoteQualified(table.loadInto)}${columns} FROM STDIN`));
  // What the batches' maker throws is kept apart: pipeline may report the socket's answer to it instead.
  let made: { readonly error: unknown } | undefined;
  const bytes = async function* (): AsyncGenerator<Buffer, void, undefined> {
    try {
      for await (const batch of batches) yield Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength);
    } catch (error) {
      made = { error };
      throw error;
    }
  };
  try {
    await pipeline(Readable.from(bytes(), { objectMode: true, highWaterMark: 1 }), stream);
  } catch (error) {
    if (made) throw made.error;
    throw toCopyError(session, table, error);
  }
  return stream.rowCount;
}

/** Where the server stopped: line and column stand in its context, beside the value, which stays there. */
function toCopyError(session: Session, table: TablePlan, error: unknown): BautaError {
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
