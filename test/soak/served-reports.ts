// What a service does for a report of a long log: `node dist-test/test/soak/served-reports.js [RUNS]` stores so many runs (default 115,000: about a million
// entries) and has the process that the API starts for it read them from the database, render pages and make a package; says how long, and how much memory.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import type { ReportAnswer, ReportOrder } from '../../src/control/report-order.js';
import { packageFile } from '../../src/kernel/package-root.js';
import { type Recorded, period, record } from './reconcile.js';

const recorded = await record(Number(process.argv[2] ?? 115_000));
try {
  const [{ entries } = {}] = await recorded.world.sql('SELECT count(*)::int AS entries FROM bauta.audit_leaf');
  process.stdout.write(`${String(entries)} entries\n`);
  for (const paper of [
    { report: 'gdpr', format: 'html' },
    { report: 'gdpr', format: 'pdf' },
    { report: 'soc2', format: 'zip' },
  ] as const)
    process.stdout.write(`${paper.report} as ${paper.format}: ${await make(recorded, paper)}\n`);
} finally {
  await recorded.stop();
}

async function make({ world, folder }: Recorded, paper: ReportOrder['papers'][number]): Promise<string> {
  const own = mkdtempSync(join(folder, 'made-'));
  const of = { workspaceId: world.workspaces.home, workspace: 'default', actor: null, policy: null };
  const order: ReportOrder = { metadata: world.urls.service, ...of, period, papers: [paper], folder: own };
  const startedAt = performance.now();
  const child = spawn(process.execPath, [packageFile('dist-test', 'src', 'reporter.js')], {
    ...{ stdio: ['pipe', 'pipe', 'inherit'], env: { PATH: process.env['PATH'], TMPDIR: own } },
  });
  let peak = 0;
  const timer = setInterval(() => {
    // It keeps its high-water mark itself; gone is gone.
    const found = /VmHWM:\s+(\d+) kB/.exec(readStatus(child.pid));
    peak = Math.max(peak, Number(found?.[1] ?? 0) / 1024);
  }, 100);
  child.stdin.write(`${JSON.stringify(order)}\n`);
  const answer = JSON.parse(await text(child.stdout)) as ReportAnswer;
  clearInterval(timer);
  if ('error' in answer) throw new Error(answer.error.code);
  const bytes = statSync(join(own, answer.papers[0]!.name)).size;
  rmSync(own, { recursive: true });
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s, at most ${Math.round(peak)} MB, ${(bytes / 1e6).toFixed(1)} MB large`;
}

function readStatus(pid: number | undefined): string {
  try {
    return readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  } catch {
    return '';
  }
}
