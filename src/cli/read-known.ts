// What a log knows that a run goes by; and whoever reads it first finishes what a process that died had begun.
import { systemClock } from '../kernel/clock.js';
import { toKnownError } from '../kernel/errors.js';
import { homeChangeTypes, keyChangeTypes, toOpenKeyIntents } from '../pipeline/audit/audit.js';
import { settleKeyChanges } from '../pipeline/change-keys.js';
import type { Event } from '../pipeline/event.js';
import type { KnownSource } from '../pipeline/gate/gate.js';
import type { AuditSink, KeyProvider, OpenKeys } from '../pipeline/ports.js';
import type { Request } from '../pipeline/prepare.js';
import { toRecordedKeys } from '../pipeline/recorded-keys.js';
import { finishHomeChanges, withWriteLock } from '../systems/files/files.js';

/** At a service: whoever changes keys does that in less. */
const STILL_AT_WORK_MS = 60_000;

/** What the log knows: every source that a run looked at (what a target may not be), and the keys of these two hierarchies. With `home`, its own log. */
export async function readKnown(
  sink: AuditSink,
  { open, keys, tokenKeys }: { readonly open: OpenKeys } & Record<'keys' | 'tokenKeys', Pick<KeyProvider, 'hierarchy'>>,
  home?: string,
): Promise<Pick<Request, 'knownSources' | 'recordedKeys' | 'recordedTokenKeys'>> {
  const events = await sink.standing(['source.seen', 'key.recorded', ...homeChangeTypes, ...keyChangeTypes]);
  if (home !== undefined)
    await finishHome({ home, sink, open }, events).catch((error: unknown) => {
      // Another process is at it, which needs no help.
      if (toKnownError(error).code !== 'AUDIT_LOCKED') throw error;
    });
  else {
    const before = systemClock.now() - STILL_AT_WORK_MS;
    const dead = toOpenKeyIntents(events).filter(({ event }) => Date.parse(event.at) < before);
    await settleKeyChanges({ open, sink, clock: systemClock }, dead);
  }
  const seen = events.filter(({ type }) => type === 'source.seen');
  return {
    knownSources: [...new Map(seen.map(({ data }) => [JSON.stringify(data), data as unknown as KnownSource])).values()],
    recordedKeys: toRecordedKeys(events, keys.hierarchy),
    recordedTokenKeys: toRecordedKeys(events, tokenKeys.hierarchy),
  };
}

/** What was begun in this home and not told to be done, because the process that began it died. Throws AUDIT_LOCKED. */
export async function finishHome(
  { home, sink, open }: { readonly home: string; readonly sink: AuditSink; readonly open: OpenKeys },
  read: readonly Event[],
): Promise<void> {
  const clock = systemClock;
  const changes = read.filter(({ type }) => homeChangeTypes.includes(type));
  await finishHomeChanges({ home, sink, clock }, changes);
  if (toOpenKeyIntents(read).length === 0) return;
  await withWriteLock(home, async () => settleKeyChanges({ open, sink, clock }, toOpenKeyIntents(await sink.standing(keyChangeTypes))));
}
