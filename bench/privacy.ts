// `node dist/bench/privacy.js`: what measuring privacy takes of a run of the reference data, by the times of the run's own log.
// Usage: node dist/bench/privacy.js [--rounds N] [--scale N]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { compose } from '../src/cli/compose.js';
import { packageFile } from '../src/kernel/package-root.js';
import { provision } from '../src/pipeline/pipeline.js';
import type { PrivacyMeasures } from '../src/pipeline/privacy.js';
import { exitForHelp } from './help.js';
import { load, makeRoles, missing, peakRssBytes, startBench, urlAs } from './reference.js';

exitForHelp(`Usage: node dist/bench/privacy.js [--rounds N] [--scale N]

A run of the reference data, and how much of it the measurement of privacy took. The best of the rounds counts.`);

const option = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const lack = missing();
if (lack !== undefined) {
  process.stderr.write(`the benchmark needs ${lack}\n`);
  process.exit(1);
}
const bench = await startBench();
const home = mkdtempSync(join(tmpdir(), 'bauta-bench-privacy-'));
try {
  await load(bench, 'source', option('--scale', 1));
  await makeRoles(bench);
  const environment = { ...process.env, SOURCE_URL: urlAs(bench, 'source', 'source'), TARGET_URL: urlAs(bench, 'target', 'copy') };
  let best = { run: Infinity, privacy: Infinity };
  let told: PrivacyMeasures | undefined;
  for (let round = 0; round < option('--rounds', 3); round++) {
    const composed = await compose({ file: packageFile('bench', 'workload', 'pipeline.yaml'), home, environment });
    let [checked, measured] = [0, 0];
    const begun = performance.now();
    const hooks = {
      checked: (): void => void (checked = performance.now()),
      measured: (measures: PrivacyMeasures): void => {
        measured = performance.now();
        told = measures;
      },
    };
    const { summary, error } = await provision(composed.doors, composed.request, composed.run, hooks);
    const run = (performance.now() - begun) / 1000;
    await composed.close();
    if (summary.state !== 'published') throw new Error(`the run ended as ${summary.state}`, { cause: error });
    if (measured - checked < best.privacy * 1000) best = { run, privacy: (measured - checked) / 1000 };
  }
  const share = (100 * best.privacy) / (best.run - best.privacy);
  process.stdout.write(
    `run ${best.run.toFixed(2)} s, of it privacy ${best.privacy.toFixed(2)} s: ${share.toFixed(1)} % more than without (goal 10 %), peak ${(peakRssBytes() / 1e6).toFixed(0)} MB\n${JSON.stringify(told?.worst)}\n`,
  );
} finally {
  rmSync(home, { recursive: true, force: true });
  await bench.server.stop();
}
