// A worker that loads ranges of a run which another one leads: the same plan, the same moment, the same staging, and nothing else of the run.
import { moveAlong } from './move.js';
import { type Request, prepare, toScope } from './prepare.js';
import type { Doors, Run } from './run.js';
import { toStagingRun } from './take-up.js';
import { closingAfter, untilStopped } from './until-stopped.js';

/**
 * Loads ranges for as long as there is one that nobody has; resolves with their number. None where the documents and the source no longer give the
 * plan that is being carried out, or nobody holds its moment: whether the plan may be carried out was for its leader to ask.
 */
export async function share(doors: Doors, request: Request, run: Run): Promise<number> {
  const { plan, planDigest } = await untilStopped(
    run,
    () => doors.source.close(),
    () => prepare(doors, request),
  );
  if (!plan || planDigest === undefined || !run.succession) return 0;
  const shared = await doors.target.share?.(await toStagingRun(doors.keys, plan, run), planDigest);
  if (!shared) return 0;
  return closingAfter(
    () => shared.close(),
    async () => {
      const held = (await run.succession!.held()).filter(({ moment }) => moment === shared.moment);
      const snapshot = await doors.source.join(plan, toScope(request), held);
      if (!snapshot) return 0;
      const cut = (): Promise<unknown> => Promise.all([snapshot.close(), shared.close()]);
      return closingAfter(
        () => snapshot.close(),
        () =>
          untilStopped({ signal: run.signal, exceeded: snapshot.exceeded }, cut, async () => {
            await run.succession!.holding(snapshot.held, plan, toScope(request));
            return moveAlong(doors, plan, snapshot, shared.nonce, shared.ranges);
          }),
      );
    },
  );
}
