// When a schedule is due, as its document says it. Pure: the time is an argument.
import { type DueInstant, dueAfter, parseCron } from '../kernel/cron.js';
import { InvariantError } from '../kernel/errors.js';
import { toTimestamp } from '../kernel/clock.js';
import { dayOfZone, toInstants, toLocalTimestamp } from '../kernel/zone.js';
import type { ScheduleDefinition } from './definition.js';

export type Rhythm = Pick<ScheduleDefinition, 'cron' | 'timeZone' | 'startDate'>;

/** In order, after `afterMs`. MUST be given what was found valid. */
export function* dueTimes({ cron: text, timeZone, startDate }: Rhythm, afterMs: number): Generator<DueInstant> {
  const { cron } = parseCron(text);
  if (!cron) throw new InvariantError('UNEXPECTED', { name: 'a schedule without a cron expression' });
  yield* dueAfter(cron, timeZone, startDate === undefined ? afterMs : Math.max(afterMs, toStart(timeZone, startDate) - 1));
}

export function nextDue(rhythm: Rhythm, afterMs: number): Date | null {
  const { value } = dueTimes(rhythm, afterMs).next() as { value?: DueInstant };
  return value ? new Date(value.atMs) : null;
}

/** A type, not an interface, so that it is JSON. */
export type ShownDue = {
  readonly dueAt: string;
  /** As a clock of the zone shows it, with its offset. */
  readonly local: string;
  readonly change?: 'moved' | 'first of two';
};

export function showDue(rhythm: Rhythm, afterMs: number, count: number): ShownDue[] {
  const shown: ShownDue[] = [];
  for (const { atMs, change } of dueTimes(rhythm, afterMs)) {
    shown.push({ dueAt: toTimestamp(atMs), local: toLocalTimestamp(rhythm.timeZone, atMs), ...(change ? { change } : {}) });
    if (shown.length === count) break;
  }
  return shown;
}

/** The first instant of a day in a zone. */
function toStart(timeZone: string, startDate: string): number {
  const dayMs = Date.parse(`${startDate}T00:00:00Z`);
  const day = dayOfZone(timeZone, dayMs);
  return toInstants(day, dayMs)[0] ?? day.changeAtMs;
}
