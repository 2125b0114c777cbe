// The door of deliver: masked batches go into a staging place, and a receipt says what was sent. Nothing is visible yet.
// The receipt is made from the bytes that are handed over, never from what the target says; the target's own count must agree.
import { toError } from '../../kernel/errors.js';
import type { Masked } from '../batch.js';
import type { DeliveryTable } from '../delivery-plan.js';
import type { Receipt, Staging } from '../ports.js';
import { LineDigest, toDigestText } from './line-digest.js';

export { LineDigest, toDigestText } from './line-digest.js';

/** Loads one stream of one table. Throws DELIVER_ROWS_DIFFER when mask, digest and server do not count the same rows. */
export async function deliver(
  staging: Pick<Staging, 'load' | 'nonce'>,
  table: DeliveryTable,
  batches: AsyncIterable<Masked>,
  alone = false,
): Promise<Receipt> {
  const digest = new LineDigest(staging.nonce);
  const sent = { rows: 0, bytes: 0 };
  const loaded = await staging.load(table, watch(batches, digest, sent), alone);
  if (loaded.rows !== sent.rows || digest.rows !== sent.rows) {
    throw toError('DELIVER_ROWS_DIFFER', { stage: 'deliver', schema: table.schema, table: table.name, amount: `${sent.rows} rows` });
  }
  return { schema: table.schema, table: table.name, rows: sent.rows, bytes: sent.bytes, digest: toDigestText(digest.sum) };
}

async function* watch(
  batches: AsyncIterable<Masked>,
  digest: LineDigest,
  sent: { rows: number; bytes: number },
): AsyncGenerator<Masked, void, undefined> {
  for await (const batch of batches) {
    digest.add(batch.bytes);
    sent.rows += batch.rows;
    sent.bytes += batch.bytes.length;
    yield batch;
  }
}

/** One receipt for all streams of a table. MUST be given at least one, all of the same table. */
export function sumReceipts(receipts: readonly Receipt[]): Receipt {
  const [first, ...others] = receipts;
  if (!first || others.some((other) => other.schema !== first.schema || other.table !== first.table)) {
    throw toError('RECEIPTS_UNLIKE', { stage: 'deliver', schema: first?.schema, table: first?.table });
  }
  return {
    schema: first.schema,
    table: first.table,
    rows: receipts.reduce((sum, receipt) => sum + receipt.rows, 0),
    bytes: receipts.reduce((sum, receipt) => sum + receipt.bytes, 0),
    digest: toDigestText(receipts.reduce((sum, receipt) => sum + BigInt(`0x${receipt.digest}`), 0n)),
  };
}
