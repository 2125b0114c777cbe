// Intents whose run died before it could tell the outcome: what they meant to do is in the log, what came of it is at the target.
import type { Event } from '../event.js';

/** Every change of the world that the log tells before and after. */
export const changes = ['staging', 'dataset.published', 'dataset.rolled-back'] as const;
export type Change = (typeof changes)[number];

/** `done` and `failed` are told by the run itself; `completed` and `undone` by a later one that looked. */
const outcomes = ['done', 'failed', 'completed', 'undone'] as const;

export const intentTypes: readonly string[] = changes.flatMap((change) => ['intended', ...outcomes].map((word) => `${change}.${word}`));

export interface OpenIntent {
  readonly change: Change;
  readonly event: Event;
}

/** Intents without an outcome, oldest first. */
export function toOpenIntents(events: readonly Event[]): readonly OpenIntent[] {
  const open = new Map<string, OpenIntent>();
  for (const event of events) {
    const change = changes.find((name) => event.type.startsWith(`${name}.`));
    if (!change) continue;
    const key = `${event.runId} ${change}`;
    if (event.type === `${change}.intended`) open.set(key, { change, event });
    else open.delete(key);
  }
  return [...open.values()];
}
