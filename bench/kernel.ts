// The masking kernel alone, memory to memory in one thread: MB/s of the reference workload's COPY text (hidden columns are read too, but not counted), and
// ns per value of each transform, its draws included. The ceiling beside it is a plain copy of the same bytes; that of tokens is their AES alone.
import { createCipheriv, createHmac } from 'node:crypto';
import { writeSync } from 'node:fs';

import type { DataType } from '../src/pipeline/catalogue.js';
import { toLuhnDigit } from '../src/pipeline/check-digits.js';
import { ColumnWriter } from '../src/pipeline/mask/column-writer.js';
import { createMasker, prepareMask } from '../src/pipeline/mask/mask.js';
import { token } from '../src/pipeline/mask/transforms/token.js';
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

/**
 * Tokens per second, 16 digits text to text, and the AES alone that FF1 needs for them: ten blocks a value, in one call a round, of the same chunks. Each the
 * best of its rounds, the two in turn.
 */
function measureTokens(): { readonly perSecond: number; readonly aesPerSecond: number } {
  const rows = 16_384;
  const [chunk, rounds] = [2048, 10];
  const key = createHmac('sha256', 'bench').update('token').digest();
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false);
  const bytes = Buffer.from(Array.from({ length: rows }, (_, i) => toCard(i)).join(''));
  const starts = Int32Array.from({ length: rows }, (_, i) => 16 * i);
  const ends = starts.map((start) => start + 16);
  const { prepare } = token;
  const encryptBlocks = (blocks: Uint8Array): Uint8Array => cipher.update(blocks);
  const params = { form: 'card', prefix: '', suffix: '', separators: ' -', testPrefix: '' };
  const apply = prepare({ params, domain: 'cards', type: text, encryptBlocks, words: never });
  const out = new ColumnWriter();
  const blocks = new Uint8Array(16 * chunk);
  const best = { token: Infinity, aes: Infinity };
  for (const begun = performance.now(); performance.now() - begun < warmMs + 2 * countedMs;) {
    const begin = process.hrtime.bigint();
    out.reset(rows);
    apply({ rows, bytes, starts, ends }, { draw: never, refuse: never, companions: [] }, out);
    const middle = process.hrtime.bigint();
    for (let i = 0; i < (rounds * rows) / chunk; i++) encryptBlocks(blocks);
    best.token = Math.min(best.token, Number(middle - begin));
    best.aes = Math.min(best.aes, Number(process.hrtime.bigint() - middle));
  }
  return { perSecond: Math.round((rows * 1e9) / best.token), aesPerSecond: Math.round((rows * 1e9) / best.aes) };
}

const text: DataType = { display: 'text', kind: 'base', base: 'text', deterministicCollation: true };

function never(): never {
  throw new Error('nothing is drawn, refused or looked up');
}

function toCard(i: number): string {
  const digits = Array.from(String(400_000_000_000_000 + i * 7_919_113), Number);
  return digits.join('') + String(toLuhnDigit(digits, digits.length));
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

const tokens = measureTokens();
const result = {
  kernelMBps: round((bytes * 1000) / nanoseconds),
  copyMBps: round(copySpeed(workload[0] as WorkTable)),
  tables,
  transforms,
  tokens,
};
const lines = [
  `masking kernel, one thread: ${result.kernelMBps} MB/s (ceiling: plain copy ${result.copyMBps} MB/s)`,
  ...Object.entries(tables).map(([name, speed]) => `  ${name}: ${speed} MB/s`),
  ...Object.entries(transforms).map(([name, ns]) => `  ${name}: ${ns} ns per value`),
  `tokens of 16 digits, text to text, one core: ${tokens.perSecond} a second (ceiling: their AES alone ${tokens.aesPerSecond}; ${round((100 * tokens.perSecond) / tokens.aesPerSecond)} %)`,
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
