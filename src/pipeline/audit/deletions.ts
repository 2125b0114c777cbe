// What a chain says of itself beyond its own entries: logs that were deleted when their time was over, and entries of theirs that still count,
// which were carried into a later log before.
import { type Json, toCanonicalJson } from '../../kernel/canonical-json.js';
import type { Checkpoint, Event } from '../event.js';
import { intentTypes, keyChangeTypes, toOpenIntents, toOpenKeyIntents } from './intents.js';
import { markTypes, toMarked } from './marks.js';
import type { ChainEntry } from './verify-log.js';

/** A deleted log, by the checkpoint that ended it. */
export interface Deletion extends Checkpoint {
  /** When, by the clock of whoever deleted it. */
  readonly at: string;
  /** Where the intent stands: log and entry. */
  readonly log: string;
  readonly entry: number;
  /** Whether the outcome stands there, too. */
  readonly done: boolean;
}

/** Entries of a deleted log that somebody still goes by; all else goes with it. */
export const carriedTypes: readonly string[] = [
  ...['key.recorded', 'source.seen', 'log.deleted.intended', 'log.deleted.done'],
  ...[...intentTypes, ...keyChangeTypes, ...markTypes],
];

/** Of a run or a person that began it: an outcome ends it, and then nobody goes by it. */
const begun: ReadonlySet<string> = new Set([...intentTypes, ...keyChangeTypes.filter((type) => type.startsWith('key.rotated.'))]);
const single: ReadonlySet<string> = new Set([...intentTypes, ...keyChangeTypes]);

/** The event that an entry tells of: of a carried one, the one that stood in the deleted log. */
export function toCarried<T extends Pick<Event, 'type'> & { readonly data?: Event['data'] }>(event: T): T {
  if (event.type !== 'log.carried') return event;
  const carried = event.data?.['event'];
  return isEvent(carried) ? (carried as unknown as T) : event;
}

/** Of `old`, which is to be deleted, what later runs go by: unless the logs that stay (`kept`) have it, too. Both of `carriedTypes` only. */
export function toCarryOn(old: readonly Event[], kept: readonly Event[]): readonly Event[] {
  const all = [...old, ...kept];
  const open = new Set([...toOpenIntents(all), ...toOpenKeyIntents(all)].map(({ event }) => event));
  const there = new Set(kept.map(toKey));
  const marks = toStandingMarks(all);
  return old.filter((event) => {
    if (toMarked(event) && !marks.has(event)) return false;
    if (there.has(toKey(event)) || (begun.has(event.type) && !open.has(event))) return false;
    there.add(toKey(event));
    return true;
  });
}

/** The newest of each subject, unless that takes it off. */
function toStandingMarks(events: readonly Event[]): ReadonlySet<Event> {
  const standing = new Map<string, Event>();
  for (const event of [...events].sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0))) {
    const marked = toMarked(event);
    if (marked?.ends === true) standing.delete(marked.subject);
    else if (marked) standing.set(marked.subject, event);
  }
  return new Set(standing.values());
}

/** What was seen once is not carried again; an intent is the one of its run. */
function toKey({ type, data, runId }: Event): string {
  return toCanonicalJson([type, data, single.has(type) ? runId : '']);
}

/** Oldest first; each once, where its intent stands now. */
export function toDeletions(logs: readonly { readonly log: string; readonly chain: readonly ChainEntry[] }[]): readonly Deletion[] {
  const deletions = new Map<string, Deletion>();
  for (const { log, chain } of logs) {
    for (const { entry, event } of chain) {
      const { type, at, data } = toCarried(event);
      const { origin, size, root } = data ?? {};
      if (typeof origin !== 'string' || typeof size !== 'number' || typeof root !== 'string') continue;
      const known = deletions.get(origin);
      if (type === 'log.deleted.intended') deletions.set(origin, { origin, size, root, at, log, entry, done: known?.done ?? false });
      else if (type === 'log.deleted.done' && known) deletions.set(origin, { ...known, done: true });
    }
  }
  return [...deletions.values()];
}

function isEvent(value: Json | undefined): boolean {
  const { runId, stage, type, at, data } = (value ?? {}) as Partial<Record<keyof Event, unknown>>;
  return [runId, stage, type, at].every((member) => typeof member === 'string') && typeof data === 'object' && data !== null;
}
