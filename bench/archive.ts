// `node dist/bench/archive.js`: the reference data written as a sealed archive and loaded from it, beside pg_dump and pg_restore of the same database
// with two jobs each, in one run. Usage: node dist/bench/archive.js [--scale N]
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { load as loadArchive } from '../src/cli/load.js';
import { toArchiver } from '../src/cli/write-archive.js';
import { formatVerifierKey, signNote, toSigner } from '../src/kernel/signed-note.js';
import { toArchiveNoteText } from '../src/pipeline/archive.js';
import { type ManifestTable, type MarkerRow, toMarker, toMarkerRow, toMarkerText } from '../src/pipeline/marker.js';
import type { Plan } from '../src/pipeline/plan.js';
import { TableDigest } from '../src/pipeline/verify/verify.js';
import { openFileKeys } from '../src/systems/files/files.js';
import { DatasetReader } from '../src/systems/postgres/postgres.js';
import { exitForHelp } from './help.js';
import { BINARIES, load, missing, peakRssBytes, startBench } from './reference.js';

exitForHelp(`Usage: node dist/bench/archive.js [--scale N]

The reference data as an archive, written, checked, loaded and attested, beside pg_dump -Fd -j2 and pg_restore -j2 of it.`);

const at = process.argv.indexOf('--scale');
const lack = missing();
if (lack !== undefined) {
  process.stderr.write(`the benchmark needs ${lack}\n`);
  process.exit(1);
}
const signer = toSigner('bench');
const nonce = new Uint8Array(16);
const folder = mkdtempSync(join(tmpdir(), 'bauta-bench-'));
const bench = await startBench();
try {
  await load(bench, 'copy', at < 0 ? 1 : Number(process.argv[at + 1]));
  const connection = { name: 'copy', url: bench.server.url('copy') };
  const plan = { environment: 'bench', pipeline: 'bench', facts: { retentionDays: 1, target: {} } } as unknown as Plan;
  const keys = openFileKeys(join(folder, 'keys'))({ purpose: 'transport', workspace: 'default', environment: 'bench' });
  const archive = toArchiver({ root: folder, workspace: 'default', target: connection, keys, recipients: [] });
  const marker = await toMarked(plan);
  const sign = (manifest: string): Promise<string> =>
    Promise.resolve(signNote(toArchiveNoteText({ manifest, runId: 'bench', log: { origin: 'bench', index: 0 } }), signer));
  let file = '';
  const written = await bench.time(async () => {
    const made = await archive({ database: 'copy' }, { plan, runId: 'bench', marker, sign });
    await made.publish();
    file = join(folder, made.facts.name);
  });
  const key = join(folder, 'log.pub');
  writeFileSync(key, formatVerifierKey(signer.verifier));
  const checked = await bench.time(async () => void (await loadArchive({ archive: file, key, home: folder, of: 'bench' })));
  await bench.sql('postgres', 'CREATE DATABASE loaded TEMPLATE template0');
  const environment = { PLACE: bench.server.url('loaded') };
  const loaded = await bench.time(async () => {
    const code = await loadArchive({ archive: file, into: 'env:PLACE', key, home: folder, of: 'bench', environment });
    if (code !== 0) throw new Error(`load ended with ${code}`);
  });
  const dumped = await bench.shell(`${BINARIES}/pg_dump -Fd -j2 -Z1 -f "${folder}/dump" -d "${connection.url}"`);
  await bench.sql('postgres', 'CREATE DATABASE restored TEMPLATE template0');
  const restored = await bench.shell(`${BINARIES}/pg_restore -j2 -d "${bench.server.url('restored')}" "${folder}/dump"`);
  const line = (name: string, ours: number, theirs: number): string =>
    `${name} ${ours.toFixed(1)} s, ${name === 'write' ? 'pg_dump' : 'pg_restore'} ${theirs.toFixed(1)} s, ratio ${(ours / theirs).toFixed(2)}\n`;
  process.stdout.write(line('write', written.seconds, dumped.seconds) + line('load', loaded.seconds, restored.seconds));
  process.stdout.write(
    `${(statSync(file).size / 1e6).toFixed(0)} MB, checked in ${checked.seconds.toFixed(1)} s; peak memory of the process ${(peakRssBytes() / 1e6).toFixed(0)} MB\n` +
      `server CPU: write ${written.serverCpuSeconds.toFixed(1)} s, load ${loaded.serverCpuSeconds.toFixed(1)} s, pg_restore ${restored.serverCpuSeconds.toFixed(1)} s\n`,
  );
} finally {
  await bench.server.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** As a run would have marked it. */
async function toMarked(plan: Plan): Promise<MarkerRow> {
  const reader = await DatasetReader.open({ name: 'copy', url: bench.server.url('copy') });
  const manifest: ManifestTable[] = [];
  try {
    for (const table of await reader.tables('bauta')) {
      const digest = new TableDigest(nonce);
      for await (const chunk of reader.lines(table, table.columns)) digest.update(chunk);
      manifest.push({ schema: table.schema, table: table.name, rows: digest.rows, digest: digest.digest(), columns: table.columns });
    }
  } finally {
    await reader.close();
  }
  const version = { target: 'copy', version: 1, runId: 'bench', planDigest: 'sha256:0' };
  const facts = { plan, version, systemIdentifier: '0', nonce, manifest, madeAtMs: Date.now(), log: { origin: 'bench', index: 0 } };
  const marker = toMarker(facts);
  return toMarkerRow(marker, manifest, signNote(toMarkerText(marker), signer));
}
