// A log of so many entries (default 1,000,000), its GDPR report, its package and the check of that: how long, and how much memory. The short form of
// the promises is test/report. Usage: node dist-test/test/soak/report-of-a-million.js [ENTRIES]
import { spawnSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { spareMemory } from '../../src/cli/spare-memory.js';
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

async function measure(home: string, step: string): Promise<void> {
  spareMemory();
  const sink = new FileAuditSink({ home, period: 'never' });
  const log = await packageLogOf({ home, sink });
  const path = join(home, 'soc2.zip');
  const steps: Readonly<Record<string, () => Promise<string>>> = {
    'gdpr report': () => makeReport(log.files, { ...asked, report: 'gdpr' }, log.verifier).then(() => ''),
    'soc2 package': () => makePackage(log, asked, path, render).then(() => `, ${Math.round(statSync(path).size / 1e6)} MB large`),
    'verified and made anew': () =>
      verifyPackage(path, { verifier: log.verifier, version: '1', render }).then(({ findings }) => `, ${findings.length} findings`),
  };
  const startedAt = performance.now();
  const said = await steps[step]!();
  const { user, system } = process.cpuUsage();
  const took = `${((performance.now() - startedAt) / 1000).toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} s of CPU`;
  process.stdout.write(`${step}: ${took}, at most ${Math.round(process.resourceUsage().maxRSS / 1024)} MB${said}\n`);
  await sink.close();
}

const [, , , step, of] = process.argv;
const again = (...words: string[]): string =>
  spawnSync(process.execPath, [fileURLToPath(import.meta.url), String(entries), ...words], {
    ...{ encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1e6 },
  }).stdout;
if (step === 'write') await write();
else if (step !== undefined) await measure(of!, step);
else {
  // Each in a process of its own, as on a command line: what one needs is not what another needs.
  const home = again('write');
  for (const name of ['gdpr report', 'soc2 package', 'verified and made anew']) process.stdout.write(again(name, home));
  rmSync(home, { recursive: true, force: true });
}
