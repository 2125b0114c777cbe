// /v1/datasets/current: what runs of the service published and nothing replaced, until when it may be used, and what is not as it was when it was
// made. As the service knows it: no server is asked.
import { Controller, Inject, Query, Req } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { type DatasetRow, Metadata } from '../../systems/metadata/metadata.js';
import { CLOCK, type Request, Route, callerOf, environmentsOf, nameSchema, pageSchema, readPage, toPage } from '../http/http.js';

const instant: Schema = { type: 'string', format: 'date-time' };
const text: Schema = { type: 'string' };
const properties: Readonly<Record<string, Schema>> = {
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
      'tables whose rows are not those that were published, with counts of what can be no fake; as the last look at the rows saw it',
  },
  rowsLookedAt: { type: ['string', 'null'], format: 'date-time', description: 'when the last look at the rows was asked for' },
  rowsError: { type: ['string', 'null'], description: 'why that look could not see them, as a code' },
  quarantined: { type: 'boolean', description: 'nobody of the environment may connect' },
};
const answer: Schema = { type: 'object', required: Object.keys(properties), properties };

@Controller('v1/datasets/current')
export class CurrentDatasetsController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Route({
    ...{
      method: 'GET',
      needs: 'datasets:read',
      summary: 'published dataset versions that no newer one replaced, newest first',
      errors: [400],
    },
    query: { ...pageSchema, pipeline: nameSchema },
    answer: {
      type: 'object',
      required: ['items', 'next'],
      properties: { items: { type: 'array', items: answer }, next: { type: ['string', 'null'] } },
    },
  })
  async list(@Req() request: Request, @Query() query: Record<string, unknown>): Promise<object> {
    const { limit, after } = readPage(query);
    const { workspaceId, roles } = callerOf(request);
    const { pipeline } = query;
    if (pipeline !== undefined && (typeof pipeline !== 'string' || !new RegExp(nameSchema['pattern'] as string).test(pipeline)))
      throw toError('REQUEST_INVALID', { name: 'pipeline', expected: 'a value that /openapi lists' });
    const environments = environmentsOf(roles, 'datasets:read');
    const filter = { ...(environments === 'all' ? {} : { environments }), ...(pipeline === undefined ? {} : { pipeline }) };
    const found = await this.metadata.within(workspaceId, ({ datasets }) => datasets.list(limit, filter, after));
    return toPage(
      found.map((row) => toView(row, this.clock.now())),
      limit,
      ({ run }) => run,
    );
  }
}

function toView({ runId, publishedAt, expiresAt, lookedAt, drift, ...row }: DatasetRow, nowMs: number) {
  const { pipeline, environment, target, version, lookError, checks } = row;
  return {
    ...{ run: runId, pipeline, environment, target, version, publishedAt: publishedAt.toISOString(), expiresAt: expiresAt.toISOString() },
    ...{ expired: expiresAt.getTime() <= nowMs, checks, drifted: (drift ?? []).map(({ what }) => what) },
    ...{ lookedAt: lookedAt === null ? null : toTimestamp(lookedAt.getTime()), lookError },
    ...{ rowsDrifted: row.rowsDrift ?? [], rowsLookedAt: row.rowsLookedAt?.toISOString() ?? null, rowsError: row.rowsError },
    quarantined: row.quarantinedAt !== null,
  };
}
