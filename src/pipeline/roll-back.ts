// The previous version becomes current again, in one step, and the log knows before and after.
import { Journal } from './audit/audit.js';
import type { DatasetVersion } from './ports.js';
import type { Doors } from './run.js';
import { settle } from './settle.js';

export interface RollBack {
  /** Under which the log has it. */
  readonly id: string;
  readonly environment: string;
  /** Id of the person who asked; absent: the log's own way says who. */
  readonly actor?: string;
}

/** Throws TARGET_BUSY while somebody works on the target, ROLLBACK_NOTHING, or ROLLBACK_MARKER. */
export async function rollBack(
  doors: Pick<Doors, 'sink' | 'target' | 'clock'>,
  { id, environment, actor }: RollBack,
): Promise<DatasetVersion> {
  await settle(doors);
  const { server, database } = await doors.target.place();
  const from = (await doors.target.datasets()).find(({ state }) => state === 'current')?.version ?? null;
  const data = { environment, server, target: database, from, ...(actor === undefined ? {} : { actor }) };
  return new Journal(doors.sink, doors.clock, id).change('deliver', 'dataset.rolled-back', data, () => doors.target.rollback());
}
