// The masking kernel alone, memory to memory in one thread: MB/s of the reference workload's COPY text (hidden columns are read too, but not counted), and
// ns per value of each transform, its draws included. The ceiling beside it is a plain copy of the same bytes.
import { createHmac } from 'node:crypto';
import { writeSync } from 'node:fs';

import { createMasker, prepareMask } from '../src/pipeline/mask/mask.js';
import type { ColumnPlan, RulePlan } from '../src/pipeline/plan.js';
import { exitForHelp } from './help.js';
import { createWorkload, type WorkTable } from './kernel-workload.js';

const keys = {
  derive: (label: string) => Promise.resolve(new Uint8Array(createHmac('sha256', 'bench').update(label).digest())),
  currentVersion: () => Promise.resolve(1),
  expiresAt: () => Promise.resolve(null),
};

const [warmMs, countedMs] = [500, 1000];

/** Nanoseconds for all batches of the table: of each batch the best round, so that whoever else uses the machine is left out, after a while for the compiler. */
async function measure({ plan, batches }: WorkTable, only?: string): Promise<number> {
  const masker = createMasker(await prepareMask(only === undefined ? plan : keepOthers(plan, only), keys), 0);
  const best = new Float64Array(batches.length).fill(Infinity);
  const begun = performance.now();
  while (performance.now() - begun < warmMs + countedMs) {
    const warm = performance.now() - begun > warmMs;
    batches.forEach((bytes, sequence) => {
      const begin = process.hrtime.bigint();
      masker.mask({ table: 0, range: 0, sequence, bytes }, into);
      if (warm) best[sequence] = Math.min(best[sequence] as number, Number(process.hrtime.bigint() - begin));
    });
  }
  return best.reduce((sum, each) => sum + each);
}

/** Where the masked lines go: shared memory, as between the threads. */
const into = new Uint8Array(new SharedArrayBuffer(1 << 20));

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

exitForHelp(`Usage: node dist/bench/kernel.js [--json]

The masking kernel alone, memory to memory in one thread: MB/s of the reference workload's COPY text, and nanoseconds per value of each transform, its draws
included. Takes about half a minute and needs no server.

  --json   one object instead of lines`);

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
