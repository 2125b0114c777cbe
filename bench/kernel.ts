// The masking kernel alone, memory to memory in one thread: MB/s of the reference workload's COPY text (hidden columns are read too, but not counted), and
// ns per value of each transform, its draws included. The ceiling beside it is a plain copy of the same bytes. Usage: node dist/bench/kernel.js [--json]
import { createHmac } from 'node:crypto';
import { writeSync } from 'node:fs';

import { createMasker, prepareMask } from '../src/pipeline/mask/mask.js';
import type { ColumnPlan, RulePlan } from '../src/pipeline/plan.js';
import { createWorkload, type WorkTable } from './kernel-workload.js';

const keys = {
  derive: (label: string) => Promise.resolve(new Uint8Array(createHmac('sha256', 'bench').update(label).digest())),
  currentVersion: () => Promise.resolve(1),
  expiresAt: () => Promise.resolve(null),
};

const [warmMs, leastRounds, mostMs] = [1500, 10, 4000];

/** Nanoseconds for all batches of the table: the best round, after the compiler has had its time: on a busy machine its thread needs more than a second. */
async function measure({ plan, batches }: WorkTable, only?: string): Promise<number> {
  const masker = createMasker(await prepareMask(only === undefined ? plan : keepOthers(plan, only), keys), 0);
  const begun = performance.now();
  let best = Infinity;
  for (let counted = 0; counted < leastRounds || performance.now() - begun < warmMs;) {
    // The masker owns what it is given, and changes it.
    const copies = batches.map((bytes) => bytes.slice());
    const begin = process.hrtime.bigint();
    for (let sequence = 0; sequence < copies.length; sequence++) {
      masker.mask({ table: 0, range: 0, sequence, bytes: copies[sequence] as Uint8Array });
    }
    best = Math.min(best, Number(process.hrtime.bigint() - begin));
    if (performance.now() - begun > warmMs / 2) counted++;
    if (performance.now() - begun > mostMs) break;
  }
  return best;
}

const kept = { transform: 'keep', params: {}, scope: 'value', domain: '', canonical: 'text' } as unknown as RulePlan;

function keepOthers(plan: WorkTable['plan'], only: string): WorkTable['plan'] {
  const keep = (column: ColumnPlan): ColumnPlan => (column.name === only ? column : { ...column, rule: kept });
  return { ...plan, tables: plan.tables.map((table) => ({ ...table, columns: table.columns.map(keep) })) };
}

/** A fresh copy of the bytes, as a stage that does nothing would hand on. */
function copySpeed({ batches }: WorkTable): number {
  let length = 0;
  const begin = process.hrtime.bigint();
  for (let i = 0; i < 25; i++) for (const bytes of batches) length += bytes.slice().length;
  return (length * 1000) / Number(process.hrtime.bigint() - begin);
}

const round = (value: number): number => Math.round(value * 10) / 10;
const workload = createWorkload();
let bytes = 0;
let nanoseconds = 0;
const transforms: Record<string, number> = {};
const tables: Record<string, number> = {};
for (const table of workload) {
  const all = await measure(table);
  tables[table.name] = round((table.bytes * 1000) / all);
  // Weighted as in the workload: a line of each table as often as there are rows.
  bytes += (table.bytes / table.rows) * table.weight;
  nanoseconds += (all / table.rows) * table.weight;
}
for (const table of workload) {
  const none = await measure(table, '');
  tables[`${table.name}, all kept`] = round((table.bytes * 1000) / none);
  for (const { name, rule } of table.plan.tables[0]?.columns ?? []) {
    if (rule.transform === 'keep' && !rule.paths) continue;
    const alone = await measure(table, name);
    transforms[`${table.name}.${name} (${rule.paths ? 'paths' : rule.transform})`] = Math.max(0, Math.round((alone - none) / table.rows));
  }
}

const result = {
  kernelMBps: round((bytes * 1000) / nanoseconds),
  copyMBps: round(copySpeed(workload[0] as WorkTable)),
  tables,
  transforms,
};
const lines = [
  `masking kernel, one thread: ${result.kernelMBps} MB/s (ceiling: plain copy ${result.copyMBps} MB/s)`,
  ...Object.entries(tables).map(([name, speed]) => `  ${name}: ${speed} MB/s`),
  ...Object.entries(transforms).map(([name, ns]) => `  ${name}: ${ns} ns per value`),
];
print(process.argv.includes('--json') ? JSON.stringify(result) : lines.join('\n'));

/** A reader that has gone (`| head -1`) is no fault of ours. */
function print(text: string): void {
  try {
    writeSync(1, `${text}\n`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}
