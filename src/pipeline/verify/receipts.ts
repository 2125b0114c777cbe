// Rows and digests as the writer's receipts say them, and as they are seen.
import { type Finding, toFinding } from '../../kernel/errors.js';
import type { DeliveryPlan } from '../delivery-plan.js';
import type { Receipt } from '../ports.js';

/** Rows and digests must agree; where a masked partition key moves rows, they agree over all tables that go in through the same root. */
export function compareReceipts(plan: Pick<DeliveryPlan, 'tables'>, delivered: readonly Receipt[], seen: readonly Receipt[]): Finding[] {
  const rootOf = new Map(plan.tables.map((t) => [`${t.schema}\u0000${t.name}`, `${t.loadInto.schema}\u0000${t.loadInto.name}`]));
  const sum = (receipts: readonly Receipt[]): Map<string, { rows: number; digest: bigint }> => {
    const sums = new Map<string, { rows: number; digest: bigint }>();
    for (const receipt of receipts) {
      const key = rootOf.get(`${receipt.schema}\u0000${receipt.table}`) ?? '';
      const known = sums.get(key) ?? { rows: 0, digest: 0n };
      sums.set(key, { rows: known.rows + receipt.rows, digest: BigInt.asUintN(128, known.digest + BigInt(`0x${receipt.digest}`)) });
    }
    return sums;
  };
  const left = sum(delivered);
  return [...sum(seen)].flatMap(([key, there]) => {
    const [schema, table] = key.split('\u0000');
    const here = left.get(key) ?? { rows: 0, digest: 0n };
    const where = { stage: 'verify', schema, table };
    if (here.rows !== there.rows)
      return [toFinding('VERIFY_ROWS_DIFFER', { ...where, amount: `${here.rows} delivered, ${there.rows} there` })];
    return here.digest === there.digest ? [] : [toFinding('VERIFY_DIGEST_DIFFERS', where)];
  });
}

/** The receipts, as loaded, of what the pipeline's own files changed. Both lists are in the plan's order. */
export function toChanged(loaded: readonly Receipt[], seen: readonly Receipt[]): readonly Receipt[] {
  return loaded.filter(({ digest }, i) => digest !== seen[i]?.digest);
}

/** What the pipeline's own files changed: told, so that a dataset never holds rows that nobody knows of. Both lists are in the plan's order. */
export function findChanges(loaded: readonly Receipt[], seen: readonly Receipt[]): Finding[] {
  return seen.flatMap(({ schema, table, rows, digest }, i) => {
    const before = loaded[i] as Receipt;
    if (before.digest === digest) return [];
    return [toFinding('VERIFY_AFTER_CHANGED', { stage: 'verify', schema, table, amount: `${before.rows} rows, ${rows} after` }, 'warning')];
  });
}
