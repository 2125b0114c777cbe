// What can be verified of staging's rows where there is no source: that every row is one of those that came, and none is missing; and what of it can be no
// fake of ours. Originals are looked for by the service, before it says that what it sent was found good.
import { type Finding, sortFindings, toFinding } from '../kernel/errors.js';
import type { DeliveryPlan } from './delivery-plan.js';
import type { RowsReader } from './look-at-rows.js';
import { markerSchema } from './marker.js';
import type { Receipt } from './ports.js';
import { RawScan } from './raw-scan.js';
import { TableDigest, compareReceipts } from './verify/verify.js';

export type AloneReader = Pick<RowsReader, 'tables' | 'lines'>;

export interface AloneOptions {
  readonly plan: DeliveryPlan;
  readonly nonce: Uint8Array;
  /** Per table, as they were loaded. */
  readonly delivered: readonly Receipt[];
}

export async function verifyRowsAlone(
  reader: AloneReader,
  { plan, nonce, delivered }: AloneOptions,
): Promise<{ readonly findings: readonly Finding[]; readonly receipts: readonly Receipt[] }> {
  const there = new Map((await reader.tables(markerSchema)).map((table) => [`${table.schema}\u0000${table.name}`, table]));
  const findings: Finding[] = [];
  const receipts: Receipt[] = [];
  for (const { schema, name, columns } of plan.tables) {
    const where = { stage: 'verify', schema, table: name };
    const seen = there.get(`${schema}\u0000${name}`);
    const names = columns.map((column) => column.name);
    if (!seen?.readable || !names.every((column) => seen.columns.includes(column))) {
      findings.push(toFinding('AGENT_TABLE_MISSING', where));
      continue;
    }
    const digest = new TableDigest(nonce);
    const scan = new RawScan(names);
    for await (const chunk of reader.lines(seen, names)) {
      digest.update(chunk);
      scan.update(chunk);
    }
    receipts.push({ schema, table: name, rows: digest.rows, bytes: digest.bytes, digest: digest.digest() });
    // The pipeline may keep such a column for a reason, which does not travel: it is told, and the service knows.
    for (const { column, kind, values } of scan.counts())
      findings.push(toFinding('AGENT_RESIDUAL', { ...where, column, name: kind, amount: String(values) }, 'warning'));
  }
  findings.push(...compareReceipts(plan, delivered, receipts));
  return { findings: sortFindings(findings), receipts };
}
