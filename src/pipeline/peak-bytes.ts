// What a run may need on the target's disk at its peak, beside what is there: one estimate for plan, target and gate.
import type { Catalogue } from './catalogue.js';
import type { DeliveryPlan } from './delivery-plan.js';
import { toLabel } from './schema-object.js';

/** Rows, indexes of about the same size, and as much again to sort while they are built: a cautious guess, not a measurement. */
const peakFactor = 3;
/** Where clones are wanted: rows and indexes twice, once nothing is sorted any more. */
const clonedPeakFactor = 4;

/** Size at the source of what the plan copies. */
export function toCopiedBytes(plan: DeliveryPlan, catalogue: Catalogue): number {
  const bytes = new Map(catalogue.tables.map((table) => [toLabel(table.schema, table.name), table.bytes]));
  return plan.tables.reduce((sum, { schema, name, rows }) => sum + (rows === 'none' ? 0 : (bytes.get(toLabel(schema, name)) ?? 0)), 0);
}

export function toPeakBytes(plan: DeliveryPlan, catalogue: Catalogue): number {
  return toCopiedBytes(plan, catalogue) * (plan.facts.target.clones ? clonedPeakFactor : peakFactor);
}
