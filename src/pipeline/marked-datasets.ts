// The versions that a target has, by what each says of itself: its comment, and its marker.
import type { Clock } from '../kernel/clock.js';
import { type Finding, toFinding } from '../kernel/errors.js';
import type { Verifier } from '../kernel/signed-note.js';
import { isMarkerOf, openMarker } from './marker.js';
import { readHolds } from './hold.js';
import type { AuditSink, DatasetVersion, Target } from './ports.js';

/** `signed`: by our log. `signed elsewhere`: whole, and by a key that is not here. `none`: of staging and of what was adopted. */
export const markerStates = ['signed', 'signed elsewhere', 'expired', 'none', 'missing', 'of another dataset', 'broken'] as const;

export type MarkedDataset = DatasetVersion & { readonly marker: (typeof markerStates)[number]; readonly heldUntil?: string };

/** `verifiers`: the keys of the logs that are known here. */
export async function readMarkedDatasets(
  { target, sink, clock }: { readonly target: Target; readonly sink: AuditSink; readonly clock: Clock },
  verifiers: readonly Verifier[],
): Promise<readonly MarkedDataset[]> {
  const holds = await readHolds({ sink, clock });
  const found: MarkedDataset[] = [];
  for (const version of await target.datasets()) {
    const held = holds.find(({ run }) => run === version.runId);
    const marker = await toMarkerState(target, version, verifiers, clock.now());
    found.push({ ...version, marker, ...(held && { heldUntil: held.until }) });
  }
  return found;
}

/** What has expired and is still there, and is not held. */
export function toOverdue(datasets: readonly MarkedDataset[]): readonly Finding[] {
  const overdue = datasets.filter(({ marker, heldUntil }) => marker === 'expired' && heldUntil === undefined);
  return overdue.map(({ target: name, version }) => toFinding('DATASET_OVERDUE', { name, amount: String(version) }, 'warning'));
}

async function toMarkerState(
  target: Target,
  version: DatasetVersion,
  verifiers: readonly Verifier[],
  nowMs: number,
): Promise<MarkedDataset['marker']> {
  if (version.state === 'staging' || version.version === 0) return 'none';
  const opened = openMarker(await target.marker(version), verifiers);
  if (opened.state !== 'whole') return opened.state;
  if (!isMarkerOf(opened.marker, version)) return 'of another dataset';
  if (Date.parse(opened.marker.expiresAt) <= nowMs) return 'expired';
  return opened.signer === 'checked' ? 'signed' : 'signed elsewhere';
}
