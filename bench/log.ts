// The audit log alone: appending (one at a time, as a run does, and many at once), and checking a million entries. Beside each its ceiling in
// the same run: a sync of the disk for an append, the bare digests of the tree for a check.
// Usage: node dist/bench/log.js [--json] [--entries N]
import { hash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { parseVerifierKey } from '../src/kernel/signed-note.js';
import { verifyChain } from '../src/pipeline/audit/audit.js';
import type { Event } from '../src/pipeline/event.js';
import { FileAuditSink, openLogFiles } from '../src/systems/files/files.js';
import { exitForHelp } from './help.js';

exitForHelp(`Usage: node dist/bench/log.js [--json] [--entries N]

The audit log alone: entries appended per second, one after the other and many at once, and the time to check all of them.

  --json        one object instead of the table
  --entries N   entries in the log that is checked (1000000)`);

const at = process.argv.indexOf('--entries');
const entries = at < 0 ? 1_000_000 : Number(process.argv[at + 1]);
const home = mkdtempSync(join(tmpdir(), 'bauta-bench-'));
const cpu = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** The event that a run appends most often. */
const event = (i: number): Event => ({
  ...{ runId: '0k7z3m1qa4v8x2yt', stage: 'deliver', type: 'table.loaded', at: new Date(1_763_712_000_000 + i).toISOString() },
  data: { schema: 'shop', table: `table_${i}`, rows: i, bytes: i * 97, digest: hash('md5', String(i)), seconds: (i % 1000) / 100 },
});

async function timed(work: () => Promise<unknown>): Promise<{ seconds: number; cpuSeconds: number }> {
  const [begun, cpuBegun] = [performance.now(), cpu()];
  await work();
  return { seconds: (performance.now() - begun) / 1000, cpuSeconds: cpu() - cpuBegun };
}

try {
  const sink = new FileAuditSink({ home, period: 'year' });
  await sink.append(event(0));
  const alone = 200;
  const singly = await timed(async () => {
    for (let i = 0; i < alone; i++) await sink.append(event(i));
  });
  const syncs = await timed(async () => {
    const file = await open(join(home, 'ceiling'), 'w');
    for (let i = 0; i < alone; i++) {
      await file.write('x'.repeat(300));
      await file.datasync();
    }
    await file.close();
  });
  const width = 5000;
  const together = await timed(async () => {
    for (let from = alone + 1; from < entries - 1; from += width) {
      const count = Math.min(width, entries - 1 - from);
      await Promise.all(Array.from({ length: count }, (_, i) => sink.append(event(from + i))));
    }
  });
  await sink.close();
  const verifier = parseVerifierKey(readFileSync(join(home, 'log.pub'), 'utf8'))!;
  let size = 0;
  const verify = await timed(async () => {
    const { findings, checkpoint } = await verifyChain(openLogFiles(join(home, 'log')), { verifier, known: [] });
    if (findings.length > 0) throw new Error(`the log is not whole: ${findings[0]?.code}`);
    size = checkpoint?.size ?? 0;
  });
  const digests = await timed(() => {
    const [leaf, node] = [Buffer.alloc(220, 1), Buffer.alloc(65, 1)];
    for (let i = 0; i < size; i++) {
      hash('sha256', leaf, 'buffer');
      hash('sha256', node, 'buffer');
    }
    return Promise.resolve();
  });
  tell({
    entries: size,
    appendedSinglyPerSecond: Math.round(alone / singly.seconds),
    syncsPerSecond: Math.round(alone / syncs.seconds),
    appendedTogetherPerSecond: Math.round((size - alone) / together.seconds),
    appendCpuSeconds: together.cpuSeconds,
    verifySeconds: verify.seconds,
    verifyCpuSeconds: verify.cpuSeconds,
    digestsCpuSeconds: digests.cpuSeconds,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  });
} finally {
  rmSync(home, { recursive: true, force: true });
}

function tell(figures: Readonly<Record<string, number>>): void {
  if (process.argv.includes('--json')) return void process.stdout.write(`${JSON.stringify(figures)}\n`);
  for (const [name, figure] of Object.entries(figures))
    process.stdout.write(`${name.padEnd(26)} ${figure.toLocaleString('en', { maximumFractionDigits: 2 })}\n`);
}
