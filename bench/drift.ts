// `node dist/bench/drift.js`: the drift check of the reference data beside one `pg_dump > /dev/null` of it, in one run.
// Usage: node dist/bench/drift.js [--rounds N] [--scale N]
import { exitForHelp, option } from './help.js';
import { BINARIES, load, startBench } from './reference.js';
import type { WholeMarker } from '../src/pipeline/look-at-rows.js';
import { lookAtRows } from '../src/pipeline/look-at-rows.js';
import { DatasetReader } from '../src/systems/postgres/postgres.js';

exitForHelp(`Usage: node dist/bench/drift.js [--rounds N] [--scale N]

Every row of the reference data compared with a manifest, beside one pg_dump of it to nowhere. The best of the rounds counts.`);

const bench = await startBench();
try {
  await load(bench, 'copy', option('--scale', 1));
  const url = bench.server.url('copy');
  const best = { drift: Infinity, dump: Infinity, rows: 0 };
  for (let round = 0; round < option('--rounds', 3); round++) {
    const { seconds } = await bench.time(async () => void (best.rows = await look(url)));
    best.drift = Math.min(best.drift, seconds);
    best.dump = Math.min(best.dump, (await bench.shell(`${BINARIES}/pg_dump -d "${url}" > /dev/null`)).seconds);
  }
  const ratio = best.drift / best.dump;
  process.stdout.write(
    `drift ${best.drift.toFixed(2)} s, pg_dump ${best.dump.toFixed(2)} s, ratio ${ratio.toFixed(2)} (ceiling 1), ${best.rows} rows\n`,
  );
} finally {
  await bench.server.stop();
}

/** As `bauta drift` looks, with a manifest that has every column of every table. */
async function look(url: string): Promise<number> {
  const reader = await DatasetReader.open({ name: 'copy', url });
  try {
    const tables = await reader.tables('bauta');
    const manifest = tables.map(({ schema, name, columns }) => ({ schema, table: name, rows: 0, digest: '0', columns }));
    const whole = { marker: { nonce: '00'.repeat(16) }, manifest } as unknown as WholeMarker;
    return (await lookAtRows(reader, whole, false)).reduce((sum, { rows }) => sum + (rows ?? 0), 0);
  } finally {
    await reader.close();
  }
}
