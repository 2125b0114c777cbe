// Time as an argument: the data plane never asks the machine what time it is.

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** RFC 3339 in UTC with milliseconds, for example `2026-11-21T04:40:00.000Z`. */
export function toTimestamp(ms: number): string {
  return new Date(ms).toISOString();
}
