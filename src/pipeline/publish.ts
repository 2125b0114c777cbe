// Publication: the intent goes into the log, the marker that names that entry goes into staging, staging becomes current, the outcome goes into
// the log.
import type { Json } from '../kernel/canonical-json.js';
import { toError } from '../kernel/errors.js';
import type { Journal } from './audit/audit.js';
import { toExpiry, toManifest, toManifestDigest, toMarker, toMarkerRow, toMarkerText } from './marker.js';
import type { Plan } from './plan.js';
import type { DatasetVersion, Receipt, Staging } from './ports.js';
import type { Doors, Run } from './run.js';

export interface Publishing {
  readonly plan: Plan;
  readonly planDigest: string;
  /** Of the target server. */
  readonly systemIdentifier: string;
  /** What verify saw in staging. */
  readonly receipts: readonly Receipt[];
  /** From here on the run cannot fail any more: what is published is published. */
  readonly onPublished: (dataset: PublishedDataset) => void;
}

interface PublishedDataset {
  readonly target: string;
  readonly version: number;
  readonly planDigest: string;
}

export async function publish(doors: Doors, journal: Journal, run: Run, staging: Staging, what: Publishing): Promise<void> {
  const { plan, planDigest, systemIdentifier, receipts, onPublished } = what;
  const [datasets, beside] = await Promise.all([doors.target.datasets(), staging.beside()]);
  const version = toVersion(datasets, run.id, planDigest);
  const manifest = toManifest(plan, receipts, beside);
  const schemas = staging.schemas && [...staging.schemas.keys()];
  const madeAtMs = doors.clock.now();
  const data = { target: version.target, version: version.version, planDigest, manifest: toManifestDigest(manifest) };
  const published = await journal.change(
    'deliver',
    'dataset.published',
    { ...data, server: systemIdentifier, expiresAt: toExpiry(plan, madeAtMs) },
    async ({ index, checkpoint: { origin } }) => {
      const facts = { plan, version, systemIdentifier, nonce: staging.nonce, manifest, madeAtMs, schemas };
      const marker = toMarker({ ...facts, log: { origin, index } });
      await staging.mark(toMarkerRow(marker, manifest, await doors.sink.sign(toMarkerText(marker))));
      const findings = await staging.publish(version);
      onPublished(data);
      return findings;
    },
  );
  await journal.append('deliver', 'findings.made', { findings: JSON.parse(JSON.stringify(published)) as Json });
}

/** The version that staging was made as. */
function toVersion(datasets: readonly DatasetVersion[], runId: string, planDigest: string): DatasetVersion {
  const made = datasets.find((dataset) => dataset.runId === runId);
  if (!made) throw toError('STAGING_GONE', { stage: 'deliver', run: runId });
  return { ...made, planDigest };
}
