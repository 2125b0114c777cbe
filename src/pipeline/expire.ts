// The end of a version: what has expired, or what somebody withdraws, is dropped; the log has what is meant before, and the attestation after.
import { type Finding, toError, toFinding, toKnownError } from '../kernel/errors.js';
import type { Verifier } from '../kernel/signed-note.js';
import type { Attestation } from './attestation.js';
import { Journal } from './audit/audit.js';
import type { TargetDefinition } from './definition.js';
import { type DropDoors, dropAndAttest } from './drop.js';
import { isMarkerOf, openMarker } from './marker.js';
import type { DatasetVersion, DropStep } from './ports.js';
import { findHold } from './hold.js';
import { settle } from './settle.js';

export interface Expire {
  readonly pipeline: string;
  readonly target: Pick<TargetDefinition, 'environment' | 'declared' | 'keepExpired'>;
  /** A new one for each version: the log has each drop under an id of its own. */
  readonly newId: () => string;
  /** Keys of the logs that are known here. */
  readonly verifiers: readonly Verifier[];
  /** This one, expired or not, and why; absent: what has expired. */
  readonly withdraw?: { readonly version: number; readonly reason: string } | undefined;
  /** Id of the person who asked; absent: nobody did. */
  readonly actor?: string | undefined;
  readonly dryRun?: boolean | undefined;
}

export interface ExpiredVersion {
  readonly target: string;
  readonly version: number;
  /** The run that made it. */
  readonly run: string;
  readonly state: DatasetVersion['state'];
  readonly why: 'expired' | 'withdrawn';
  readonly expiresAt: string | null;
  readonly steps: readonly DropStep[];
  /** Null: it was only asked what would be dropped, or it could not be dropped. */
  readonly attestation: Attestation | null;
}

export interface Expiry {
  readonly versions: readonly ExpiredVersion[];
  /** Why a version was not dropped, or is not known to have expired. */
  readonly findings: readonly Finding[];
}

interface Candidate extends Pick<ExpiredVersion, 'why' | 'expiresAt'> {
  readonly dataset: DatasetVersion;
}

/** Throws TARGET_BUSY, and DATASET_UNKNOWN where the version to withdraw is not there; what one version meets stops no other. */
export async function expire(doors: DropDoors, order: Expire): Promise<Expiry> {
  if (!order.dryRun) await settle(doors);
  const { server } = await doors.target.place();
  const { candidates, findings } = await findCandidates(doors, order);
  const versions: ExpiredVersion[] = [];
  const gone: DatasetVersion[] = [];
  for (const candidate of candidates) {
    const { dataset } = candidate;
    const hold = await findHold(doors, { server, target: dataset.target, run: dataset.runId });
    if (hold) {
      findings.push(toFinding('DATASET_HELD', { name: dataset.target, amount: String(dataset.version), expected: hold.until }, 'warning'));
      continue;
    }
    const steps = await doors.target.dropSteps(dataset, { gone });
    const { target, version, runId: run, state } = dataset;
    const view = { target, version, run, state, why: candidate.why, expiresAt: candidate.expiresAt, steps };
    try {
      versions.push({ ...view, attestation: order.dryRun ? null : await end(doors, order, server, view) });
      gone.push(dataset);
    } catch (error) {
      const { code, where, retry } = toFailure(error);
      if (retry) throw error;
      versions.push({ ...view, attestation: null });
      findings.push(toFinding(code, where));
    }
  }
  return { versions, findings };
}

/** A busy target is busy for all of them; a log that cannot be written tells nothing of any. */
function toFailure(error: unknown): Pick<Finding, 'code' | 'where'> & { readonly retry: boolean } {
  const { code, where } = toKnownError(error);
  return { code, where, retry: code === 'TARGET_BUSY' || where.stage === 'audit' };
}

async function findCandidates(
  { target, clock }: DropDoors,
  { withdraw, verifiers, target: { keepExpired } }: Expire,
): Promise<{ candidates: readonly Candidate[]; findings: Finding[] }> {
  const findings: Finding[] = [];
  const candidates: Candidate[] = [];
  // The oldest first: the current one goes when nothing is left behind it.
  const all = [...(await target.datasets())].filter(({ state, version }) => state !== 'staging' && version > 0).reverse();
  for (const dataset of all) {
    if (withdraw && withdraw.version !== dataset.version) continue;
    const opened = openMarker(await target.marker(dataset), verifiers);
    const expiresAt = opened.state === 'whole' && isMarkerOf(opened.marker, dataset) ? opened.marker.expiresAt : null;
    const due = expiresAt !== null && Date.parse(expiresAt) + (keepExpired?.hours ?? 0) * 3_600_000 <= clock.now();
    if (withdraw) candidates.push({ dataset, why: 'withdrawn', expiresAt });
    else if (due || dataset.closed === 'expiring') candidates.push({ dataset, why: 'expired', expiresAt });
    else if (expiresAt === null)
      findings.push(toFinding('EXPIRY_UNKNOWN', { name: dataset.target, amount: String(dataset.version) }, 'warning'));
  }
  const [name] = [(await target.place()).database];
  if (withdraw && candidates.length === 0) throw toError('DATASET_UNKNOWN', { name, amount: String(withdraw.version) });
  return { candidates, findings };
}

function end(doors: DropDoors, order: Expire, server: string, view: Omit<ExpiredVersion, 'attestation'>): Promise<Attestation> {
  const { pipeline, actor, withdraw, target, newId } = order;
  const of = { pipeline, environment: target.environment, server, ...view };
  const journal = new Journal(doors.sink, doors.clock, newId());
  return dropAndAttest(doors, journal, { ...of, declared: target.declared, reason: withdraw?.reason, actor });
}
