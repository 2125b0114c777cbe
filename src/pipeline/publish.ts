// Publication: the intent goes into the log, the marker that names that entry goes into staging, an archive is written of it where one is asked for,
// staging becomes current, the archive gets its name, the outcome goes into the log, and what is beyond `keepVersions` ends.
import type { Json } from '../kernel/canonical-json.js';
import { toError } from '../kernel/errors.js';
import { toArchiveNoteText } from './archive.js';
import type { Journal } from './audit/audit.js';
import { toTableLabel } from './catalogue.js';
import { type MarkerRow, toExpiry, toManifest, toManifestDigest, toMarker, toMarkerRow, toMarkerText } from './marker.js';
import type { GateInput } from './decision.js';
import { goOnErasing } from './erasure.js';
import { toKeyData } from './key-use.js';
import { questionType } from './permit-again.js';
import { readHolds } from './hold.js';
import type { Plan } from './plan.js';
import { prune } from './prune.js';
import type { DatasetVersion, Receipt, Staging } from './ports.js';
import type { ArchiveOf, Archived, Doors, Run } from './run.js';

export interface Publishing {
  readonly plan: Plan;
  readonly planDigest: string;
  /** What the gate was asked: it is asked again when the version is used again. */
  readonly question: GateInput;
  /** Of the target server. */
  readonly systemIdentifier: string;
  /** What verify saw in staging. */
  readonly receipts: readonly Receipt[];
  /** From here on the run cannot fail any more: what is published is published. */
  readonly onPublished: (dataset: PublishedDataset) => void;
  /** The archive is whole, and has no name yet. */
  readonly onArchived?: () => Promise<void>;
}

interface PublishedDataset {
  readonly target: string;
  readonly version: number;
  readonly planDigest: string;
}

export async function publish(doors: Doors, journal: Journal, run: Run, staging: Staging, what: Publishing): Promise<void> {
  const { plan, planDigest, systemIdentifier, receipts, onPublished, onArchived } = what;
  const [datasets, beside] = await Promise.all([doors.target.datasets(), staging.beside()]);
  const version = toVersion(datasets, run.id, planDigest);
  const manifest = [...toManifest(plan, receipts, beside), ...((await staging.definitions?.()) ?? [])];
  const schemas = staging.schemas && [...staging.schemas.keys()];
  const madeAtMs = doors.clock.now();
  const data = { target: version.target, version: version.version, planDigest, manifest: toManifestDigest(manifest) };
  let archived: Archived | undefined;
  await journal.append('gate', questionType, { input: what.question, follows: toFollowed(plan) });
  const published = await journal.change(
    'deliver',
    'dataset.published',
    { ...data, ...toKeyData(plan, madeAtMs), server: systemIdentifier, ...toServers(staging), expiresAt: toExpiry(plan, madeAtMs) },
    async ({ index, checkpoint: { origin } }) => {
      const facts = { plan, version, nonce: staging.nonce, manifest, madeAtMs, schemas, log: { origin, index } };
      const at = async (server: string): Promise<MarkerRow> => {
        const marker = toMarker({ ...facts, systemIdentifier: server });
        return toMarkerRow(marker, manifest, await doors.sink.sign(toMarkerText(marker)));
      };
      const row = await at(systemIdentifier);
      await staging.mark(row, at);
      if (staging.sent) await journal.append('deliver', 'dataset.sent', { version: version.version, ...staging.sent() });
      archived = await writeArchive(doors, journal, staging, { plan, runId: run.id, marker: row }, onArchived);
      const findings = await staging.publish(version).catch(async (error: unknown) => {
        await archived?.drop();
        throw error;
      });
      onPublished(data);
      await archived?.publish();
      return findings;
    },
  );
  if (archived) await journal.append('deliver', 'archive.published', { version: version.version, ...archived.facts });
  const pruned = await prune(doors, journal, plan, systemIdentifier);
  const place = { server: systemIdentifier, target: version.target };
  const findings = [...published, ...pruned, ...(await goOnErasing(doors, toErase(plan, run), place))];
  if (archived) await pruneArchives(doors, journal, version.target, archived);
  await journal.append('deliver', 'findings.made', { findings: JSON.parse(JSON.stringify(findings)) as Json });
}

/** What a person is still to be erased from ends with the version that was published in its place. */
function toErase({ pipeline, facts }: Plan, { id }: Run): Parameters<typeof goOnErasing>[1] {
  return { pipeline, target: facts.target, newId: () => id };
}

function toServers(staging: Staging): { readonly servers?: readonly string[] } {
  const servers = staging.servers?.() ?? [];
  return servers.length > 0 ? { servers } : {};
}

/** Of versions that somebody else dropped. */
async function pruneArchives(doors: Doors, journal: Journal, target: string, archived: Archived): Promise<void> {
  const names = await archived.prune(new Set((await readHolds(doors)).map(({ run }) => run)));
  if (names.length > 0) await journal.append('deliver', 'archive.dropped', { target, names: [...names] });
}

/** By table and scope the columns that a pseudonym is a function of, beside the value itself: what the question does not say. */
function toFollowed({ tables }: Plan): Json {
  const followed: Record<string, Record<string, Json[]>> = {};
  for (const table of tables)
    for (const { purpose, column, via } of table.hidden) {
      const label = toTableLabel(table);
      // A place in the heap is no column.
      if (column === 'ctid') continue;
      const scopes = (followed[label] ??= {});
      (scopes[purpose] ??= []).push({ table: toTableLabel(via.at(-1)?.references ?? table), column });
    }
  return followed;
}

/** The log knows of the file before anybody can have it. */
async function writeArchive(
  { archive, sink }: Doors,
  journal: Journal,
  staging: Staging,
  of: Omit<ArchiveOf, 'sign'>,
  onArchived: Publishing['onArchived'],
): Promise<Archived | undefined> {
  const sign = async (manifest: string): Promise<string> => {
    const { index, checkpoint } = await journal.append('deliver', 'archive.described', { version: of.marker.version, manifest });
    return sink.sign(toArchiveNoteText({ manifest, runId: of.runId, log: { origin: checkpoint.origin, index } }));
  };
  const archived = await archive?.(staging, { ...of, sign });
  if (!archived) return undefined;
  try {
    await journal.append('deliver', 'archive.written', { version: of.marker.version, ...archived.facts });
    await onArchived?.();
    return archived;
  } catch (error) {
    await archived.drop();
    throw error;
  }
}

/** The version that staging was made as. */
function toVersion(datasets: readonly DatasetVersion[], runId: string, planDigest: string): DatasetVersion {
  const made = datasets.find((dataset) => dataset.runId === runId);
  if (!made) throw toError('STAGING_GONE', { stage: 'deliver', run: runId });
  return { ...made, planDigest };
}
