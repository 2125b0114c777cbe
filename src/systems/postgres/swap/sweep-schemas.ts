// Finds what dead runs left in the database and drops it. Dead: the advisory lock on the run's id is free. Ours: a record of the provisioning
// role that says staging; its schemas were made in one transaction with it.
import { tryLock, unlock } from '../target/locks.js';
import type { Session } from '../target/session.js';
import { endBuilderSessions } from './builder.js';
import { dropSchemas } from './publish-swap.js';
import { type Places } from './places.js';
import { readVersions } from './records.js';

/** Names of the schemas that it dropped. */
export async function sweepSchemas(session: Session, target: string, builder: () => Promise<string>): Promise<readonly string[]> {
  const dropped: string[] = [];
  const staging = (await readVersions(session, target)).filter(({ ours }) => ours.state === 'staging');
  for (const { ours, places } of staging) {
    if (!(await tryLock(session, 'run', ours.runId))) continue;
    try {
      // The sessions of a killed run work on for a while; while nobody has the target, none of them is of a live one.
      const alone = await tryLock(session, 'target', target);
      if (alone) await endBuilderSessions(session, await builder());
      // Between our look and our lock its run may have published it: its places are then no more, or another state's.
      const still = (await readVersions(session, target)).some((one) => one.ours.runId === ours.runId && one.ours.state === 'staging');
      if (still) dropped.push(...(await dropStaging(session, places)));
      if (alone) await unlock(session, 'target', target);
    } finally {
      await unlock(session, 'run', ours.runId);
    }
  }
  return dropped;
}

export function dropStaging(session: Session, places: Places): Promise<readonly string[]> {
  return dropSchemas(session, places);
}
