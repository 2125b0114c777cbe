// `bauta datasets`: the versions that a target has, by what each says of itself: its comment, and its marker.
import { systemClock } from '../kernel/clock.js';
import type { Verifier } from '../kernel/signed-note.js';
import { isMarkerOf, openMarker } from '../pipeline/marker.js';
import type { DatasetVersion, Target } from '../pipeline/ports.js';
import { type ComposeOptions, composeTarget } from './compose.js';
import { wantsJson } from './context.js';
import { toTable, writeJson } from './print.js';

/** `signed`: by our log. `signed elsewhere`: whole, and by a key that is not here. `none`: of staging and of what was adopted. */
type MarkerState = 'signed' | 'signed elsewhere' | 'expired' | 'none' | 'missing' | 'of another dataset' | 'broken';

export async function datasets(options: ComposeOptions): Promise<number> {
  const { target, verifiers } = await composeTarget(options);
  try {
    const versions: (DatasetVersion & { readonly marker: MarkerState })[] = [];
    for (const version of await target.datasets()) versions.push({ ...version, marker: await toMarkerState(target, version, verifiers) });
    if (wantsJson(options)) writeJson({ datasets: versions, findings: [] });
    else if (versions.length === 0) process.stdout.write('no dataset yet: bauta run makes the first\n');
    else {
      const rows = versions.map(({ target: name, version, state, marker, database, schema, publishedAt, runId }) => [
        name,
        String(version),
        state,
        marker,
        schema === undefined ? database : `${database} (${schema})`,
        publishedAt ?? '',
        runId,
      ]);
      process.stdout.write(`${toTable([['TARGET', 'VERSION', 'STATE', 'MARKER', 'DATABASE', 'PUBLISHED', 'RUN'], ...rows], '')}\n`);
    }
    return 0;
  } finally {
    await target.close();
  }
}

async function toMarkerState(target: Target, version: DatasetVersion, verifiers: readonly Verifier[]): Promise<MarkerState> {
  if (version.state === 'staging' || version.version === 0) return 'none';
  const opened = openMarker(await target.marker(version), verifiers);
  if (opened.state !== 'whole') return opened.state;
  if (!isMarkerOf(opened.marker, version)) return 'of another dataset';
  if (Date.parse(opened.marker.expiresAt) <= systemClock.now()) return 'expired';
  return opened.signer === 'checked' ? 'signed' : 'signed elsewhere';
}
