// A legal hold: somebody says why a version has to stay, and until when. While it holds nothing drops the version, whoever asks and whatever has expired.
import type { Clock } from '../kernel/clock.js';
import type { AuditSink } from './ports.js';

export const holdTypes: readonly string[] = ['hold.placed', 'hold.lifted'];

/** Which version: the run that made it, and where it stands. */
export interface HeldVersion {
  readonly server: string;
  readonly target: string;
  readonly run: string;
}

export interface Hold extends HeldVersion {
  /** RFC 3339. After it the hold stops nothing. */
  readonly until: string;
  readonly placedAt: string;
}

/** By the log, which nobody can take a hold out of. */
export async function readHolds({ sink, clock }: { readonly sink: AuditSink; readonly clock: Clock }): Promise<readonly Hold[]> {
  const events = await sink.standing(holdTypes);
  return events
    .map(({ at, data }): Hold => ({ ...(data as unknown as HeldVersion & Pick<Hold, 'until'>), placedAt: at }))
    .filter(({ until }) => !(Date.parse(until) <= clock.now()));
}

export async function findHold(
  doors: { readonly sink: AuditSink; readonly clock: Clock },
  { server, target, run }: HeldVersion,
): Promise<Hold | undefined> {
  return (await readHolds(doors)).find((hold) => hold.run === run && hold.server === server && hold.target === target);
}
