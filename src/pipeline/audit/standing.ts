// Entries that later runs go by, in a log in which most only tell what was: what is recorded for good, once for each content, and intents that have
// no outcome. There are as many of them as there are sources, keys and dead runs, however many runs there were.
import { digestJson } from '../../kernel/digest.js';
import type { Event } from '../event.js';
import { toCarried } from './deletions.js';
import { findChange } from './intents.js';
import { toMarked } from './marks.js';

const recorded: ReadonlySet<string> = new Set(['source.seen', 'key.recorded']);

/** What an entry is about, and whether it ends it. */
export interface Subject {
  readonly subject: string;
  readonly type: string;
  readonly ends: boolean;
}

/** Undefined: nobody goes by it. Of one subject the newest entry stands, until one ends it. */
export function toSubject(entry: Event): Subject | undefined {
  const { type, runId, data } = toCarried(entry);
  if (recorded.has(type)) return { subject: `${type} ${digestJson(data)}`, type, ends: false };
  const marked = toMarked({ type, data });
  if (marked) return { ...marked, type };
  const change = findChange(type);
  // A key that was destroyed, or was begun to be, is one for good.
  if (change === 'key.destroyed') return { subject: `${type} ${runId}`, type, ends: false };
  return change && { subject: `${change} ${runId}`, type, ends: type !== `${change}.intended` };
}

/** Those of the events that stand, in their order. */
export function toStanding(events: readonly Event[]): readonly Event[] {
  const standing = new Map<string, Event>();
  for (const event of events) {
    const { subject, ends = false } = toSubject(event) ?? {};
    if (subject === undefined) continue;
    standing.delete(subject);
    if (!ends) standing.set(subject, event);
  }
  return [...standing.values()];
}
