// What /v1/datasets answers: the versions that a pipeline's target has now, by what each says of itself. A worker looks while the request waits.
import { setTimeout as sleep } from 'node:timers/promises';

import { Controller, Inject, Query, Req } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import type { Clock } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { markerStates } from '../../pipeline/marked-datasets.js';
import { type ErrandRow, Metadata } from '../../systems/metadata/metadata.js';
import { requestErrand, settleLost, toThrown } from '../errands/errands.js';
import { CLOCK, type Request, Route, callerOf, nameSchema, requireRight } from '../http/http.js';

/** Less than what a client waits. */
const PATIENCE_MS = 20_000;
const SHORTEST_MS = 10;
const LONGEST_MS = 250;

const properties: Readonly<Record<string, Schema>> = {
  ...{ target: { type: 'string' }, version: { type: 'integer', description: '0: what was there before, and was adopted' } },
  state: { type: 'string', enum: ['staging', 'current', 'previous'] },
  marker: { type: 'string', enum: markerStates, description: 'what its marker says of it' },
  ...{ runId: { type: 'string' }, database: { type: 'string' }, planDigest: { type: 'string' }, publishedAt: { type: ['string', 'null'] } },
};
const schema: Schema = { type: 'string', description: 'of its marker, where versions are schemas' };
const version: Schema = { type: 'object', required: Object.keys(properties), properties: { ...properties, schema } };

@Controller('v1/datasets')
export class DatasetsController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Route({
    ...{ method: 'GET', needs: 'datasets:read', summary: 'the versions that the target of a pipeline has now', errors: [400, 404, 422] },
    query: { pipeline: { ...nameSchema, description: 'of whose target; it has to be given' } },
    answer: {
      type: 'object',
      required: ['items', 'next'],
      properties: { items: { type: 'array', items: version }, next: { type: 'null', description: 'they are all there' } },
    },
  })
  async list(@Req() request: Request, @Query('pipeline') pipeline: unknown): Promise<object> {
    if (typeof pipeline !== 'string' || !new RegExp(nameSchema['pattern'] as string).test(pipeline))
      throw toError('REQUEST_INVALID', { name: 'pipeline', expected: 'the name of a pipeline' });
    const { workspaceId, personId } = callerOf(request);
    const asked = { kind: 'datasets', pipeline, requestedBy: personId, nowMs: this.clock.now() } as const;
    const { id } = await this.metadata.within(workspaceId, (transaction) =>
      requestErrand(transaction, asked, (environment) => requireRight(request, 'datasets:read', [environment])),
    );
    const { result, error } = await this.untilEnded(workspaceId, id);
    if (error !== null) throw toThrown(error);
    return { items: (result as { datasets: readonly object[] }).datasets, next: null };
  }

  /** Throws ERRAND_UNANSWERED. */
  private async untilEnded(workspaceId: string, id: string): Promise<ErrandRow> {
    const startedAt = performance.now();
    for (let wait = SHORTEST_MS; ; wait = Math.min(wait * 1.5, LONGEST_MS)) {
      const row = await this.metadata.within(workspaceId, (transaction) => settleLost(transaction, id));
      if (row.endedAt) return row;
      if (performance.now() - startedAt > PATIENCE_MS) throw toError('ERRAND_UNANSWERED', { amount: `${PATIENCE_MS / 1000} s` });
      await sleep(wait);
    }
  }
}
