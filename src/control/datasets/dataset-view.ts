// A version that a run of the service published, as the service knows it: no server is asked.
import type { Schema } from '../../documents/documents.js';
import { toTimestamp } from '../../kernel/clock.js';
import type { DatasetRow } from '../../systems/metadata/metadata.js';

const instant: Schema = { type: 'string', format: 'date-time' };
const text: Schema = { type: 'string' };

/** What is said of a version that is there, wherever it is said. */
export const datasetProperties: Readonly<Record<string, Schema>> = {
  run: { ...text, description: 'the run that made it' },
  ...{ pipeline: text, environment: text, target: { ...text, description: 'name of the database' }, version: { type: 'integer' } },
  ...{ publishedAt: instant, expiresAt: instant, expired: { type: 'boolean' } },
  drifted: {
    type: 'array',
    items: text,
    description: 'what is not as it was when it was made: documents, `policy`, `source schema`; as the last look saw it',
  },
  lookedAt: { type: ['string', 'null'], format: 'date-time', description: 'when the last look was asked for; null: none was yet' },
  checks: {
    type: ['object', 'null'],
    description:
      'how many checks of its pipeline passed, failed (severity warn) and were not made; null: it was published before there were checks',
    required: ['pass', 'fail', 'notRun'],
    properties: { pass: { type: 'integer' }, fail: { type: 'integer' }, notRun: { type: 'integer' } },
  },
  lookError: { type: ['string', 'null'], description: 'why that look could not see everything, as a code of docs/errors.md' },
  rowsDrifted: {
    type: 'array',
    items: text,
    description:
      'tables whose rows are not those that were published, with counts of what can be no fake, and what else is not as it was (functions, views, rights …); as the last look at them saw it',
  },
  rowsLookedAt: { type: ['string', 'null'], format: 'date-time', description: 'when the last look at the rows was asked for' },
  rowsError: { type: ['string', 'null'], description: 'why that look could not see them, as a code' },
  quarantined: { type: 'boolean', description: 'nobody of the environment may connect' },
  heldUntil: { type: ['string', 'null'], format: 'date-time', description: 'nothing drops it before; null: nothing holds it' },
  revokedAt: {
    type: ['string', 'null'],
    format: 'date-time',
    description: 'nothing goes back to it, clones it, hands it out or takes it again',
  },
};
export function toDatasetView({ runId, publishedAt, expiresAt, lookedAt, drift, ...row }: DatasetRow, nowMs: number) {
  const { pipeline, environment, target, version, lookError, checks } = row;
  return {
    ...{ run: runId, pipeline, environment, target, version, publishedAt: publishedAt.toISOString(), expiresAt: expiresAt.toISOString() },
    ...{ expired: expiresAt.getTime() <= nowMs, checks, drifted: (drift ?? []).map(({ what }) => what) },
    ...{ lookedAt: lookedAt === null ? null : toTimestamp(lookedAt.getTime()), lookError },
    ...{ rowsDrifted: row.rowsDrift ?? [], rowsLookedAt: row.rowsLookedAt?.toISOString() ?? null, rowsError: row.rowsError },
    quarantined: row.quarantinedAt !== null,
    heldUntil: row.heldUntil !== null && row.heldUntil.getTime() > nowMs ? row.heldUntil.toISOString() : null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
  };
}
