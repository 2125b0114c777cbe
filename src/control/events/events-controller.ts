// GET /v1/events: how far the log of the caller's workspace has been published, by stream.
import { Controller, Inject, Req } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { type EventProgress, Metadata, eventStreams } from '../../systems/metadata/metadata.js';
import { type Request, Route, callerOf } from '../http/http.js';

const count: Schema = { type: 'integer', minimum: 0 };
const instant: Schema = { type: ['string', 'null'], format: 'date-time' };
const properties: Readonly<Record<string, Schema>> = {
  stream: { type: 'string', enum: [...eventStreams] },
  log: { type: 'string', description: 'the log of the chain that it is at' },
  position: { ...count, description: 'index of the next entry' },
  published: { ...count, description: 'events that were taken so far' },
  advancedAt: { ...instant, description: 'when it last got on' },
  waiting: { ...count, description: 'entries of the log that it has not come to' },
  oldestSeconds: { type: 'number', minimum: 0, description: 'how long the first of them waits' },
  failingSince: { ...instant, description: 'since when it does not get on' },
  failure: { type: ['string', 'null'], description: 'why, as a code of docs/errors.md' },
};

@Controller('v1/events')
export class EventsController {
  constructor(@Inject(Metadata) private readonly metadata: Metadata) {}

  @Route({
    ...{ method: 'GET', needs: 'events:read', summary: 'how far the audit log has been published as events' },
    answer: {
      type: 'object',
      required: ['items'],
      properties: { items: { type: 'array', items: { type: 'object', required: Object.keys(properties), properties } } },
    },
  })
  async list(@Req() request: Request): Promise<object> {
    const found = await this.metadata.within(callerOf(request).workspaceId, ({ events }) => events.progress());
    return { items: found.map(toView) };
  }
}

function toView({ advancedAt, failingSince, ...rest }: EventProgress): object {
  return { ...rest, advancedAt: advancedAt?.toISOString() ?? null, failingSince: failingSince?.toISOString() ?? null };
}
