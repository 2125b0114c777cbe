// A person is to be gone from the copies. Who it is nobody tells Bauta: the rows are gone at the source, and from then on every version of the target
// that a run began before may hold them. Nothing uses such a version again; what can be dropped is, and the rest is listed until it is gone too.
import { toTimestamp } from '../kernel/clock.js';
import { type Finding, toError, toFinding, toKnownError } from '../kernel/errors.js';
import { type Attestation, type Beyond, toDeclared } from './attestation.js';
import { Journal } from './audit/audit.js';
import { type CloneDoors, dropClone } from './clone.js';
import type { Reach, TargetDefinition } from './definition.js';
import { type DropDoors, dropAndAttest } from './drop.js';
import { findHold } from './hold.js';
import { type Erasure, type ErasurePlace, isErasurePending, readErasures } from './pending-erasure.js';
import type { DatasetVersion } from './ports.js';
import { settle } from './settle.js';

export interface Erase {
  readonly pipeline: string;
  readonly target: Pick<TargetDefinition, 'environment' | 'declared'>;
  /** The first is that of a new request. */
  readonly newId: () => string;
  /** Of a new request, kept where it can be erased; absent: those that are open are gone on with. */
  readonly reason?: string | undefined;
  readonly actor?: string | undefined;
}

export interface ErasedVersion {
  readonly version: number;
  readonly run: string;
  readonly attestation: Attestation;
}

export interface LeftVersion {
  readonly version: number;
  readonly state: DatasetVersion['state'];
  /** `current`: it is dropped once a run has published another in its place. */
  readonly why: 'current' | 'held';
  /** Of the hold. */
  readonly until: string | null;
}

export interface ErasureState {
  readonly target: string;
  readonly erasures: readonly Erasure[];
  readonly dropped: readonly ErasedVersion[];
  /** What they were made for. */
  readonly clones: readonly string[];
  readonly left: readonly LeftVersion[];
  /** Nothing is left on the target. */
  readonly completed: boolean;
  readonly beyond: Readonly<Record<Reach, Beyond>>;
}

/** Throws ERASURE_UNKNOWN where nothing is asked for and nothing is open, and what the drops throw; what was done until then is in the log. */
export async function erase(doors: DropDoors & CloneDoors, order: Erase): Promise<ErasureState> {
  await settle(doors);
  const { server, database: target } = await doors.target.place();
  const place = { server, target };
  const { environment } = order.target;
  const by = toActor(order);
  if (order.reason !== undefined) {
    const id = order.newId();
    const data = { ...place, environment, erasure: id, reason: order.reason, ...by };
    await new Journal(doors.sink, doors.clock, id).append('control', 'erasure.requested', data);
  }
  const erasures = await readErasures(doors.sink, place);
  if (erasures.length === 0) throw toError('ERASURE_UNKNOWN', { name: target });
  return goOn(doors, order, place, erasures);
}

/**
 * Once another version was published: what was asked for before is brought as far as it goes. Undefined: nothing was. What is in the way is for the next
 * one; throws only what keeps the log from being written.
 */
export async function goOnErasing(
  doors: DropDoors & CloneDoors,
  order: Omit<Erase, 'reason'>,
  place: ErasurePlace,
): Promise<readonly Finding[]> {
  const erasures = await readErasures(doors.sink, place);
  if (erasures.length === 0) return [];
  try {
    const { left } = await goOn(doors, order, place, erasures);
    return left.map(({ version }) =>
      toFinding('ERASURE_LEFT', { stage: 'deliver', name: place.target, amount: String(version) }, 'warning'),
    );
  } catch (error) {
    const { code, where } = toKnownError(error);
    if (where.stage === 'audit') throw error;
    return [toFinding('TARGET_NOT_PRUNED', { stage: 'deliver', name: place.target }, 'warning'), toFinding(code, where, 'warning')];
  }
}

const toActor = ({ actor }: Pick<Erase, 'actor'>): { readonly actor?: string } => (actor === undefined ? {} : { actor });

async function goOn(doors: DropDoors & CloneDoors, order: Erase, place: ErasurePlace, erasures: readonly Erasure[]): Promise<ErasureState> {
  const { target } = place;
  const { environment, declared } = order.target;
  const by = toActor(order);
  const clones = await dropClones(doors, place, environment);
  const dropped: ErasedVersion[] = [];
  const left: LeftVersion[] = [];
  for (const dataset of await findStale(doors, place)) {
    const { version, state, runId: run } = dataset;
    const hold = await findHold(doors, { ...place, run });
    if (hold || state === 'current') left.push({ version, state, why: hold ? 'held' : 'current', until: hold?.until ?? null });
    else dropped.push({ version, run, attestation: await drop(doors, order, place, dataset) });
  }
  const completed = left.length === 0;
  for (const { id } of completed ? erasures : []) {
    const data = { ...place, environment, erasure: id, ...by };
    await new Journal(doors.sink, doors.clock, id).append('control', 'erasure.completed', data);
  }
  return { target, erasures, dropped, clones, left, completed, beyond: toDeclared(declared, doors.clock.now()) };
}

/** The oldest first. What was adopted is no version of ours. */
async function findStale(doors: DropDoors, place: ErasurePlace): Promise<readonly DatasetVersion[]> {
  const stale: DatasetVersion[] = [];
  for (const dataset of [...(await doors.target.datasets())].reverse())
    if (dataset.state !== 'staging' && dataset.version > 0 && (await isErasurePending(doors.sink, { ...place, run: dataset.runId })))
      stale.push(dataset);
  return stale;
}

/** Also those of a version that is held: nobody holds a clone. */
async function dropClones(doors: DropDoors & CloneDoors, place: ErasurePlace, environment: string): Promise<readonly string[]> {
  const dropped: string[] = [];
  await doors.target.clones?.sweep();
  for (const { id, for: purpose, runId: run } of (await doors.target.clones?.list()) ?? []) {
    if (!(await isErasurePending(doors.sink, { ...place, run }))) continue;
    await dropClone(doors, id, { environment, why: 'erased' });
    dropped.push(purpose);
  }
  return dropped;
}

async function drop(doors: DropDoors, order: Erase, place: ErasurePlace, dataset: DatasetVersion): Promise<Attestation> {
  const { version, state, runId: run } = dataset;
  const { pipeline, target, actor, newId } = order;
  const steps = await doors.target.dropSteps(dataset);
  const of = { pipeline, environment: target.environment, ...place, version, run, state, why: 'erased', expiresAt: null } as const;
  return dropAndAttest(doors, new Journal(doors.sink, doors.clock, newId()), { ...of, steps, declared: target.declared, actor });
}

/** For people. */
export function toLeftText({ version, why, until }: LeftVersion): string {
  if (why === 'held') return `version ${version} is held until ${until ?? toTimestamp(0)}: nothing of it is erased before`;
  return `version ${version} is current: bauta run publishes another in its place, then bauta erase drops it`;
}
