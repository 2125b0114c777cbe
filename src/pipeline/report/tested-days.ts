// What verification said of personal columns, day by day: Art. 32(1)(d) asks that the effectiveness of measures be tested regularly.
import type { LoggedEvent } from '../event.js';
import { type Period, isWithin } from './period.js';
import { recordsOf } from './populations/population.js';

/** Counts of columns and paths of the copies that were verified on one day (UTC). */
export interface TestedDay {
  readonly day: string;
  readonly verified: number;
  /** No original may stand there, each was looked for, and none was found. */
  readonly zero: number;
  /** Compared row by row with the originals, against what chance gives. */
  readonly rate: number;
  /** An original stood where none may. */
  readonly exceptions: number;
  readonly notTestable: number;
}

export class TestedDays {
  readonly #days = new Map<string, { -readonly [Member in keyof TestedDay]: TestedDay[Member] }>();

  constructor(private readonly period: Period) {}

  take({ event: { type, at, data } }: LoggedEvent): void {
    if (type !== 'dataset.verified' || !isWithin(this.period, at)) return;
    const key = at.slice(0, 10);
    const day = this.#days.get(key) ?? { day: key, verified: 0, zero: 0, rate: 0, exceptions: 0, notTestable: 0 };
    this.#days.set(key, day);
    day.verified += 1;
    for (const { verdict, originals } of recordsOf(data['verdicts']))
      if (verdict === 'zero') day[Number(originals ?? 0) > 0 ? 'exceptions' : 'zero'] += 1;
      else day[verdict === 'rate' ? 'rate' : 'notTestable'] += 1;
  }

  end(): readonly TestedDay[] {
    return [...this.#days.values()].sort((one, other) => (one.day < other.day ? -1 : 1));
  }
}
