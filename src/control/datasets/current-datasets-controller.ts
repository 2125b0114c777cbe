// /v1/datasets/current: what runs of the service published and nothing replaced, until when it may be used, and what is not as it was when it was
// made. As the service knows it: no server is asked.
import { Controller, Inject, Query, Req } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import type { Clock } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { Metadata } from '../../systems/metadata/metadata.js';
import { CLOCK, type Request, Route, callerOf, environmentsOf, nameSchema, pageSchema, readPage, toPage } from '../http/http.js';
import { datasetProperties, toDatasetView } from './dataset-view.js';

const answer: Schema = { type: 'object', required: Object.keys(datasetProperties), properties: datasetProperties };

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
      found.map((row) => toDatasetView(row, this.clock.now())),
      limit,
      ({ run }) => run,
    );
  }
}
