// Intents whose run died before it could tell the outcome: what they meant to do is in the log, what came of it is at the target.
import type { Event } from '../event.js';

/** Every change of the world that the log tells before and after. */
export const changes = [
  'staging',
  'dataset.published',
  'dataset.rolled-back',
  'dataset.dropped',
  'dataset.quarantined',
  'clone.made',
  'clone.dropped',
] as const;
export type Change = (typeof changes)[number];

/** `done` and `failed` are told by the run itself; `completed` and `undone` by a later one that looked. */
const outcomes = ['done', 'failed', 'completed', 'undone'] as const;

export const intentTypes: readonly string[] = toTypes(changes);

/** Changes of the home itself, which go forward only: what was begun is finished by the next start. */
export const homeChanges = ['log.deleted', 'text.erased', 'person.erased'] as const;
export type HomeChange = (typeof homeChanges)[number];

export const homeChangeTypes: readonly string[] = toTypes(homeChanges);

/** Changes of the keys that copies are made with. What was begun to be destroyed is destroyed; of a rotation the next start sees whether it was. */
export const keyChanges = ['key.rotated', 'key.destroyed'] as const;
export type KeyChange = (typeof keyChanges)[number];

export const keyChangeTypes: readonly string[] = toTypes(keyChanges);

export interface OpenIntent<Name extends string = Change> {
  readonly change: Name;
  readonly event: Event;
}

/** Intents without an outcome, oldest first. */
export function toOpenIntents(events: readonly Event[]): readonly OpenIntent[] {
  return toOpen(events, changes);
}

/** The same of the home's own changes. */
export function toOpenHomeIntents(events: readonly Event[]): readonly OpenIntent<HomeChange>[] {
  return toOpen(events, homeChanges);
}

/** The same of keys. */
export function toOpenKeyIntents(events: readonly Event[]): readonly OpenIntent<KeyChange>[] {
  return toOpen(events, keyChanges);
}

/** The change, of the world, of the home or of keys, that an event of this type tells of. */
export function findChange(type: string): Change | HomeChange | KeyChange | undefined {
  return [...changes, ...homeChanges, ...keyChanges].find((name) =>
    [`${name}.intended`, ...outcomes.map((word) => `${name}.${word}`)].includes(type),
  );
}

function toTypes(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => ['intended', ...outcomes].map((word) => `${name}.${word}`));
}

function toOpen<Name extends string>(events: readonly Event[], names: readonly Name[]): readonly OpenIntent<Name>[] {
  const open = new Map<string, OpenIntent<Name>>();
  for (const event of events) {
    const change = names.find((name) => event.type.startsWith(`${name}.`));
    if (!change) continue;
    const key = `${event.runId} ${change}`;
    if (event.type === `${change}.intended`) open.set(key, { change, event });
    else open.delete(key);
  }
  return [...open.values()];
}
