// The previous version becomes current again, in one step, and the log knows before and after.
import { Journal } from './audit/audit.js';
import type { KnownSource } from './gate/gate.js';
import { permitAgain } from './permit-again.js';
import type { DatasetVersion } from './ports.js';
import type { Doors } from './run.js';
import { settle } from './settle.js';

export interface RollBack {
  /** Under which the log has it. */
  readonly id: string;
  readonly environment: string;
  /** Id of the person who asked; absent: the log's own way says who. */
  readonly actor?: string;
  readonly knownSources?: readonly KnownSource[];
}

/**
 * The gate is asked again, by today's policy. Throws TARGET_BUSY while somebody works on the target, ROLLBACK_NOTHING, ROLLBACK_MARKER, or what
 * `permitAgain` throws.
 */
export async function rollBack(
  doors: Pick<Doors, 'sink' | 'target' | 'clock' | 'policy' | 'keys'>,
  { id, environment, actor, knownSources }: RollBack,
): Promise<DatasetVersion> {
  await settle(doors);
  const { server, database } = await doors.target.place();
  const from = (await doors.target.datasets()).find(({ state }) => state === 'current')?.version ?? null;
  const data = { environment, server, target: database, from, ...(actor === undefined ? {} : { actor }) };
  const journal = new Journal(doors.sink, doors.clock, id);
  const permit = async (version: DatasetVersion): Promise<void> => {
    // What was adopted is somebody's own database, which no gate was ever asked for.
    if (version.version > 0) await permitAgain(doors, journal, version, knownSources);
  };
  return journal.change('deliver', 'dataset.rolled-back', data, () => doors.target.rollback(permit));
}
