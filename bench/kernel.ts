// The masking kernel alone, memory to memory in one thread: MB/s of COPY text over made-up lines of the reference workload's shape, and ns per
// value of each transform. The ceiling beside it is a plain copy of the same bytes. Usage: node dist/bench/kernel.js [--json]
import { createHmac } from 'node:crypto';

import { createMasker, prepareMask, transforms } from '../src/pipeline/mask/mask.js';
import { createWorkload, type WorkTable } from './kernel-workload.js';

const keys = {
  derive: (label: string) => Promise.resolve(new Uint8Array(createHmac('sha256', 'bench').update(label).digest())),
  currentVersion: () => Promise.resolve(1),
  expiresAt: () => Promise.resolve(null),
};

const known = new Set(transforms.map(({ name }) => name));

async function measure({ plan, lines }: WorkTable, only?: string): Promise<number> {
  const rules = only === undefined ? plan : keepOthers(plan, only);
  const masker = createMasker(await prepareMask(rules, keys), 0);
  const batch = { table: 0, range: 0, sequence: 0 };
  let best = Infinity;
  for (let round = 0; round < 12; round++) {
    const copies = Array.from({ length: 8 }, () => lines.slice());
    const begin = process.hrtime.bigint();
    for (const bytes of copies) masker.mask({ ...batch, bytes });
    best = Math.min(best, Number(process.hrtime.bigint() - begin) / copies.length);
  }
  return best;
}

function keepOthers(plan: WorkTable['plan'], only: string): WorkTable['plan'] {
  const keep = (column: (typeof plan.tables)[0]['columns'][0]) =>
    column.name === only
      ? column
      : { ...column, rule: { transform: 'keep', params: {}, scope: 'value', domain: '', canonical: 'text' } as never };
  return { ...plan, tables: plan.tables.map((table) => ({ ...table, columns: table.columns.map(keep) })) };
}

/** A fresh copy of the bytes, as a stage that does nothing would hand on. */
function copySpeed(lines: Uint8Array): number {
  let length = 0;
  const begin = process.hrtime.bigint();
  for (let i = 0; i < 200; i++) length += lines.slice().length;
  return (length * 1000) / Number(process.hrtime.bigint() - begin);
}

const round = (value: number): number => Math.round(value * 10) / 10;
let bytes = 0;
let nanoseconds = 0;
const transformsNs: Record<string, number> = {};
const missing: string[] = [];
const tables: Record<string, number> = {};
for (const table of createWorkload(known)) {
  const all = await measure(table);
  const none = await measure(table, '');
  tables[table.name] = round((table.lines.length * 1000) / all);
  tables[`${table.name}, all kept`] = round((table.lines.length * 1000) / none);
  // Weighted as in the workload: a line of each table as often as there are rows.
  bytes += (table.lines.length / table.rows) * table.weight;
  nanoseconds += (all / table.rows) * table.weight;
  missing.push(...table.missing);
  for (const { name, rule } of table.plan.tables[0]?.columns ?? []) {
    if (rule.transform === 'keep' && !rule.paths) continue;
    const alone = await measure(table, name);
    transformsNs[`${table.name}.${name} (${rule.paths ? 'paths' : rule.transform})`] = Math.max(0, Math.round((alone - none) / table.rows));
  }
}

const first = createWorkload(known)[0] as WorkTable;
const result = { kernelMBps: round((bytes * 1000) / nanoseconds), copyMBps: round(copySpeed(first.lines)), tables, transformsNs, missing };
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(result)}\n`);
else {
  process.stdout.write(`masking kernel, one thread: ${result.kernelMBps} MB/s (ceiling: plain copy ${result.copyMBps} MB/s)\n`);
  for (const [name, speed] of Object.entries(tables)) process.stdout.write(`  ${name}: ${speed} MB/s\n`);
  for (const [name, ns] of Object.entries(transformsNs)) process.stdout.write(`  ${name}: ${ns} ns per value\n`);
  if (missing.length > 0) process.stdout.write(`not measured, the transform is not in this build: ${missing.join(', ')}\n`);
}
