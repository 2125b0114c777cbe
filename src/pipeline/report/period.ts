// The time that a report is about: from its first instant on, up to and without its last.
export interface Period {
  /** RFC 3339 in UTC. */
  readonly from: string;
  readonly to: string;
  /** IANA name of the zone that shown times are in. */
  readonly zone: string;
}

/** Times of the log are texts of one form, RFC 3339 in UTC with milliseconds, whose order is that of time. */
export const isWithin = ({ from, to }: Pick<Period, 'from' | 'to'>, at: string): boolean => at >= from && at < to;

/** For the name of a file: 2026-10-01. */
export const toDay = (at: string): string => at.slice(0, 10);
