// A log of so many entries (default 1,000,000), its GDPR report, its package and the check of that: how long, and how much memory. The short form of
// the promises is test/report. Usage: node dist-test/test/soak/report-of-a-million.js [ENTRIES]
import { spawnSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { makeReport } from '../../src/control/look-at-log.js';
import { makePackage } from '../../src/control/make-package.js';
import { verifyPackage } from '../../src/control/verify-package.js';
import { FileAuditSink } from '../../src/systems/files/files.js';
import { type Told, asked, openHome, packageLogOf, run } from '../report/logged.js';

const entries = Number(process.argv[2] ?? 1_000_000);
const render = (): Promise<Readonly<Record<string, string>>> => Promise.resolve({});

async function write(): Promise<void> {
  const told: Told[] = [];
  for (let i = 0; told.length < entries; i++) {
    const day = new Date(Date.parse('2026-01-01') + (i % 90) * 86_400_000).toISOString().slice(0, 10);
    told.push(...run(`run-${i}`, day, { version: i }));
  }
  told.length = entries;
  const { home, sink } = await openHome(told);
  await sink.close();
  process.stdout.write(home);
}

async function seconds<T>(what: string, work: () => Promise<T>): Promise<T> {
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  const took = `${((performance.now() - startedAt) / 1000).toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} s of CPU`;
  process.stdout.write(`${what}: ${took}, at most ${Math.round(process.resourceUsage().maxRSS / 1024)} MB so far\n`);
  return result;
}

async function measure(home: string): Promise<void> {
  const sink = new FileAuditSink({ home, period: 'never' });
  const log = await packageLogOf({ home, sink });
  const path = join(home, 'soc2.zip');
  await seconds('gdpr report', () => makeReport(log.files, { ...asked, report: 'gdpr' }, log.verifier));
  await seconds('soc2 package', () => makePackage(log, asked, path, render));
  process.stdout.write(`package: ${Math.round(statSync(path).size / 1e6)} MB\n`);
  const { findings } = await seconds('verified and made anew', () => verifyPackage(path, { verifier: log.verifier, version: '1', render }));
  process.stdout.write(`${findings.length} findings\n`);
  await sink.close();
}

if (process.argv[3] === 'write') await write();
else {
  // In a process of its own: what the writer needs is not what a reader needs.
  const words = [fileURLToPath(import.meta.url), String(entries), 'write'];
  const home = spawnSync(process.execPath, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).stdout;
  await measure(home);
  rmSync(home, { recursive: true, force: true });
}
