// /v1/anomalies: what was found odd in the log, once for each cause and stretch of time.
import { Controller, Inject, Query, Req } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { toError } from '../../kernel/errors.js';
import { watchRules } from '../../pipeline/watch.js';
import { type AnomalyRow, Metadata } from '../../systems/metadata/metadata.js';
import { type Request, Route, callerOf, environmentsOf, isUuid, pageSchema, readPage, toPage } from '../http/http.js';

const instant: Schema = { type: 'string', format: 'date-time' };
const name: Schema = { type: ['string', 'null'], description: 'null: the entries of the log say none' };
const rule: Schema = { type: 'string', enum: watchRules, description: `one of ${watchRules.join(', ')}` };
const properties: Readonly<Record<string, Schema>> = {
  ...{ id: { type: 'string', format: 'uuid' }, rule },
  subject: { type: 'string', description: 'what it is about, by ids and names; of a person the random id' },
  ...{ environment: name, pipeline: name },
  window: { ...instant, description: 'where the stretch of time begins: a day or an hour of the rule, or the instant that was due' },
  amount: { type: 'integer', description: 'how many there were when it was told' },
  expected: { type: 'integer', description: 'how many would have been none' },
  foundAt: instant,
};
const answer: Schema = { type: 'object', required: Object.keys(properties), properties };

@Controller('v1/anomalies')
export class AnomaliesController {
  constructor(@Inject(Metadata) private readonly metadata: Metadata) {}

  @Route({
    ...{ method: 'GET', needs: 'anomalies:read', query: { ...pageSchema, rule }, errors: [400] },
    summary: 'what was found odd in the log, newest first',
    answer: {
      type: 'object',
      required: ['items', 'next'],
      properties: { items: { type: 'array', items: answer }, next: { type: ['string', 'null'] } },
    },
  })
  async list(@Req() request: Request, @Query() query: Record<string, unknown>): Promise<object> {
    const { limit, after } = readPage(query, isUuid);
    const wanted = query['rule'];
    if (wanted !== undefined && !watchRules.some((one) => one === wanted))
      throw toError('REQUEST_INVALID', { name: 'rule', expected: watchRules.join(', ') });
    const { workspaceId, roles } = callerOf(request);
    const environments = environmentsOf(roles, 'anomalies:read');
    const filter = { ...(wanted === undefined ? {} : { rule: wanted as string }), ...(environments === 'all' ? {} : { environments }) };
    const found = await this.metadata.within(workspaceId, ({ anomalies }) => anomalies.list(limit, filter, after));
    return toPage(found.map(toView), limit, ({ id }) => id);
  }
}

function toView({ id, rule: of, subject, environment, pipeline, window, amount, expected, foundAt }: AnomalyRow) {
  const foundOrNull = { environment: environment || null, pipeline: pipeline || null };
  return { id, rule: of, subject, ...foundOrNull, window, amount, expected, foundAt: foundAt.toISOString() };
}
