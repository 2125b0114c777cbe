// A break-glass as it is shown: what it is good for, who stands behind it, and what is to be said of its use. Its note is shown elsewhere.
import type { Schema } from '../../documents/documents.js';
import type { BreakglassRow } from '../../systems/metadata/metadata.js';

export const reviewMs = 5 * 86_400_000;

const text: Schema = { type: 'string' };
const instant: Schema = { type: 'string', format: 'date-time' };
const maybeInstant: Schema = { type: ['string', 'null'], format: 'date-time' };
const id: Schema = { type: 'string', format: 'uuid' };

export const breakglassProperties: Readonly<Record<string, Schema>> = {
  ...{ id, gate: text, environment: text, service: text, commit: text, reason: text, askedBy: id },
  approvedBy: { type: 'array', items: id, minItems: 2, maxItems: 2 },
  ...{ issuedAt: instant, expiresAt: instant },
  state: { type: 'string', enum: ['issued', 'used', 'expired'], description: 'expired: nobody used it in time' },
  usedAt: { ...maybeInstant, description: 'by who used it' },
  offline: { type: ['boolean', 'null'], description: 'it was accepted where the service could not be reached, and handed in later' },
  usedAgain: { type: 'integer', minimum: 0, description: 'further uses that were made where nobody could know of the first' },
  reviewedBy: { ...id, type: ['string', 'null'] },
  reviewedAt: maybeInstant,
  comment: { type: ['string', 'null'], description: 'of the review' },
  reviewUntil: { ...maybeInstant, description: 'five days after it was used' },
  exception: { type: 'boolean', description: 'it was used, and nobody reviewed it in time' },
};
export const breakglassSchema: Schema = { type: 'object', required: Object.keys(breakglassProperties), properties: breakglassProperties };

export function toBreakglassView(row: BreakglassRow, nowMs: number): object {
  const { id: name, gate, environment, service, commit, askedBy, approvedBy, issuedAt, expiresAt, uses, reviewedBy, reviewedAt } = row;
  const first = uses.find((use) => use.first);
  const until = first ? Date.parse(first.usedAt) + reviewMs : undefined;
  const committed = (commitment: string | null): object | null => (commitment === null ? null : { committed: commitment });
  return {
    ...{ id: name, gate, environment, service, commit, reason: committed(row.reason), askedBy, approvedBy },
    ...{ issuedAt: issuedAt.toISOString(), expiresAt: expiresAt.toISOString() },
    state: first ? 'used' : expiresAt.getTime() > nowMs ? 'issued' : 'expired',
    ...{ usedAt: first?.usedAt ?? null, offline: first?.offline ?? null, usedAgain: uses.length - (first ? 1 : 0) },
    ...{ reviewedBy, reviewedAt: reviewedAt?.toISOString() ?? null, comment: committed(row.comment) },
    reviewUntil: until === undefined ? null : new Date(until).toISOString(),
    exception: until !== undefined && (reviewedAt?.getTime() ?? nowMs) > until,
  };
}
