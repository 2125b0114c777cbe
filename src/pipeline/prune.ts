// What `keepVersions` leaves over ends as what has expired does: held or not, by which statement, seen by whom, and attested in the log.
import { type Finding, toError, toFinding, toKnownError } from '../kernel/errors.js';
import type { Journal } from './audit/audit.js';
import { type DropDoors, dropAndAttest } from './drop.js';
import { findHold } from './hold.js';
import { openMarker } from './marker.js';
import type { Plan } from './plan.js';
import type { DatasetVersion } from './ports.js';

/** The versions are published and stay so: what is in the way of one is a warning. Throws only what keeps the log from being written. */
export async function prune(doors: DropDoors, journal: Journal, plan: Plan, server: string): Promise<readonly Finding[]> {
  const { keepVersions = 1 } = plan.facts.target;
  const findings: Finding[] = [];
  const attempt = async (name: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      findings.push(...toWarnings(name, error));
    }
  };
  await attempt(plan.environment, async () => {
    // The oldest first: where versions stand one behind the other in one place, it is in front.
    for (const dataset of [...toSurplus(await doors.target.datasets(), keepVersions)].reverse())
      await attempt(dataset.database, () => pruneOne(doors, journal, plan, server, dataset));
  });
  return findings;
}

/**
 * Previous versions beyond so many: those to which no roll-back returns first, then the oldest. What was adopted is somebody's own database, and is
 * never dropped.
 */
export function toSurplus(datasets: readonly DatasetVersion[], keep: number): readonly DatasetVersion[] {
  const all = datasets.filter(({ state }) => state === 'previous').sort((a, b) => b.version - a.version);
  const previous = all.filter(({ replaced }) => !replaced);
  const isReturnable = ({ rolledBack, closed }: DatasetVersion): boolean => !rolledBack && closed === undefined;
  const beyond = [...previous.filter(isReturnable), ...previous.filter((one) => !isReturnable(one))].slice(keep);
  return [...beyond, ...all.filter(({ replaced }) => replaced)].filter(({ version }) => version > 0);
}

async function pruneOne(doors: DropDoors, journal: Journal, plan: Plan, server: string, dataset: DatasetVersion): Promise<void> {
  const { target, version, runId: run, state } = dataset;
  const hold = await findHold(doors, { server, target, run });
  if (hold) throw toError('DATASET_HELD', { name: target, amount: String(version), expected: hold.until });
  const steps = await doors.target.dropSteps(dataset, { clonesStay: true });
  const opened = openMarker(await doors.target.marker(dataset), []);
  const expiresAt = opened.state === 'whole' ? opened.marker.expiresAt : null;
  const { declared } = plan.facts.target;
  const of = { pipeline: plan.pipeline, environment: plan.environment, server, target, version, run, state, why: 'pruned' } as const;
  await dropAndAttest(doors, journal, { ...of, expiresAt, steps, declared });
}

/** A hold is no fault. */
function toWarnings(name: string, error: unknown): readonly Finding[] {
  const { code, where } = toKnownError(error);
  if (where.stage === 'audit') throw error;
  const cause = toFinding(code, where, 'warning');
  return code === 'DATASET_HELD' ? [cause] : [toFinding('TARGET_NOT_PRUNED', { stage: 'deliver', name }, 'warning'), cause];
}
