// What somebody says of a version, for good or for a time, in the log: it is held, so that nothing drops it; or revoked, so that nothing uses it again.
import { toError } from '../kernel/errors.js';
import { Journal } from './audit/audit.js';
import type { DropDoors } from './drop.js';
import { type Hold, findHold } from './hold.js';
import type { AuditSink, DatasetVersion } from './ports.js';

export interface Mark {
  /** Under which the log has it. */
  readonly id: string;
  readonly environment: string;
  readonly version: number;
  /** Kept where it can be erased. */
  readonly reason: string;
  readonly actor?: string | undefined;
}

export const revokedType = 'dataset.revoked';

/** A hold that stands already is replaced. Throws DATASET_UNKNOWN, and HOLD_PAST where its time has passed. */
export async function placeHold(doors: DropDoors, mark: Mark & { readonly until: string }): Promise<Hold> {
  const { version, data } = await read(doors, mark);
  if (!(Date.parse(mark.until) > doors.clock.now())) throw toError('HOLD_PAST', { expected: mark.until });
  const until = new Date(mark.until).toISOString();
  await new Journal(doors.sink, doors.clock, mark.id).append('control', 'hold.placed', { ...data, until, reason: mark.reason });
  return { server: data.server, target: version.target, run: version.runId, until, placedAt: new Date(doors.clock.now()).toISOString() };
}

/** Throws DATASET_UNKNOWN, and HOLD_UNKNOWN where nothing holds it. */
export async function liftHold(doors: DropDoors, mark: Mark): Promise<void> {
  const { version, data } = await read(doors, mark);
  if (!(await findHold(doors, data))) throw toError('HOLD_UNKNOWN', { name: version.target, amount: String(version.version) });
  await new Journal(doors.sink, doors.clock, mark.id).append('control', 'hold.lifted', { ...data, reason: mark.reason });
}

/** Nothing goes back to it, clones it, hands it out or takes it instead of a run any more. It stays where it is. Throws DATASET_UNKNOWN. */
export async function revoke(doors: DropDoors, mark: Mark): Promise<DatasetVersion> {
  const { version, data } = await read(doors, mark);
  await new Journal(doors.sink, doors.clock, mark.id).append('control', revokedType, { ...data, reason: mark.reason });
  return version;
}

/** By the log, which nobody can take it out of. */
export async function isRevoked(sink: Pick<AuditSink, 'standing'>, runId: string): Promise<boolean> {
  return (await sink.standing([revokedType])).some(({ data }) => data['run'] === runId);
}

async function read(doors: DropDoors, { environment, version: wanted, actor }: Mark) {
  const { server, database } = await doors.target.place();
  const version = (await doors.target.datasets()).find((one) => one.version === wanted && one.state !== 'staging' && one.version > 0);
  if (!version) throw toError('DATASET_UNKNOWN', { name: database, amount: String(wanted) });
  const of = { server, target: version.target, run: version.runId };
  return { version, data: { ...of, environment, version: wanted, ...(actor === undefined ? {} : { actor }) } };
}
