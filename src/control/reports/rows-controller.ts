// /v1/reports/rows: which rows the tables of the service have of what the log tells of, too. Whoever asks holds them against the log himself
// (`bauta report reconcile`).
import { Controller, Inject, Param, Query, Req } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { toError } from '../../kernel/errors.js';
import { counterpartNames } from '../../pipeline/report/report.js';
import { Metadata, isCounterpartKey } from '../../systems/metadata/metadata.js';
import { type Request, Route, callerOf, pageSchema, readPage, toPage } from '../http/http.js';

const properties: Readonly<Record<string, Schema>> = {
  id: { type: 'string', description: 'as the log has it; of several parts with spaces between' },
  at: { type: 'string', format: 'date-time', description: 'when the row came' },
  owed: { type: 'boolean', description: 'the log has to tell of it; false: it may' },
  says: {
    ...{ type: 'object', additionalProperties: { type: 'string' } },
    description: 'what stands in the columns of which the log tells: ids, names, states, instants and commitments',
  },
};
const answer: Schema = {
  type: 'object',
  required: ['items', 'next'],
  properties: {
    items: { type: 'array', items: { type: 'object', required: Object.keys(properties), properties } },
    next: { type: ['string', 'null'] },
  },
};

@Controller('v1/reports/rows')
export class RowsController {
  constructor(@Inject(Metadata) private readonly metadata: Metadata) {}

  @Route({
    ...{ method: 'GET', path: ':of', needs: 'reports:make', query: pageSchema, answer, errors: [400, 404] },
    summary: `ids of the rows, with what the log tells of them, that the service has of ${counterpartNames.join(', ')}: to be held against the log`,
  })
  async list(@Req() request: Request, @Param('of') of: string, @Query() query: Record<string, unknown>): Promise<object> {
    const name = counterpartNames.find((one) => one === of);
    if (!name) throw toError('RESOURCE_UNKNOWN', { type: 'rows' });
    const { limit, after } = readPage(query, (key) => isCounterpartKey(name, key));
    const found = await this.metadata.within(callerOf(request).workspaceId, ({ counterparts }) => counterparts.list(name, limit, after));
    const { items, next } = toPage(found, limit, ({ key }) => key);
    return { items: items.map(({ id, at, owed, says }) => ({ id, at, owed, says })), next };
  }
}
