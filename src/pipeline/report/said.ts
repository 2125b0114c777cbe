// What the log itself says of the cause of an exception and of who agreed to it: a waiver, an approval or a break-glass that the item names. What it
// does not say is for people to write down, and is never guessed.
import type { Cell } from './populations/population.js';

export interface Said {
  /** Commitment to the reason that somebody gave; its text is kept where it can be erased. */
  readonly cause: string | null;
  /** Random ids of who agreed. */
  readonly approvedBy: string | null;
  /** RFC 3339 in UTC: until when, where that was agreed to. */
  readonly until: string | null;
}

const textOf = (cell: Cell | undefined): string | null => (cell === undefined || cell === null || cell === '' ? null : String(cell));

export function toSaid(item: Readonly<Record<string, Cell>>, approvers: ReadonlyMap<string, string>): Said {
  const approval = textOf(item['approval']);
  const agreed = textOf(item['approvedBy']) ?? (approval === null ? null : (approvers.get(approval) ?? null));
  const asked = textOf(item['askedBy']) ?? textOf(item['actor']);
  // Nobody agrees to what he asked for himself.
  const approvedBy = agreed?.split(' ').filter((one) => one !== asked).join(' ') || null; // prettier-ignore
  const until = approvedBy === null ? null : (textOf(item['until']) ?? textOf(item['expiresAt']));
  return { cause: textOf(item['reason']), approvedBy, until };
}
