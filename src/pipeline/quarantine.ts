// A version whose rows are not those that were published is shut: nobody of the environment gets in, and nothing of it is dropped. A new run or a
// roll-back puts another one in its place.
import { toError } from '../kernel/errors.js';
import { Journal } from './audit/audit.js';
import type { DropDoors } from './drop.js';

export interface Quarantine {
  /** Under which the log has it. */
  readonly id: string;
  readonly environment: string;
  /** The run that made the version. */
  readonly run: string;
}

/** Throws TARGET_BUSY while somebody works on the target, and TARGET_CHANGED when the version is not current any more. */
export async function quarantine(doors: DropDoors, { id, environment, run }: Quarantine): Promise<void> {
  const { server, database } = await doors.target.place();
  const version = (await doors.target.datasets()).find(({ runId, state }) => runId === run && state === 'current');
  if (!version) throw toError('TARGET_CHANGED', { stage: 'deliver', name: database });
  const data = { environment, server, target: database, run, version: version.version };
  await new Journal(doors.sink, doors.clock, id).change('deliver', 'dataset.quarantined', data, () => doors.target.quarantine(run));
}
