// /v1/notifications: who was told of what, what nobody could be told of, and another try.
import { Controller, Inject, Param, Query, Req } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { Metadata, type NotificationRow } from '../../systems/metadata/metadata.js';
import {
  CLOCK, type Request, Route, callerOf, isUuid, nameSchema, pageSchema, readPage, requireUuid, toPage,
} from '../http/http.js'; // prettier-ignore

const states = ['waiting', 'sent', 'repeated', 'dead'];
const state: Schema = { type: 'string', enum: states, description: `one of ${states.join(', ')}` };
const instant: Schema = { type: 'string', format: 'date-time' };
const properties: Readonly<Record<string, Schema>> = {
  ...{ id: { type: 'string', format: 'uuid' }, channel: { type: 'string' }, event: { type: 'string' }, state },
  message: { type: 'object', description: 'what was told' },
  ...{ attempts: { type: 'integer' }, createdAt: instant },
  nextAt: { type: ['string', 'null'], format: 'date-time', description: 'of the next try' },
  error: { type: ['string', 'null'], description: 'why the last try did not do, as a code of docs/errors.md' },
  endedAt: { type: ['string', 'null'], format: 'date-time' },
};
const answer: Schema = { type: 'object', required: Object.keys(properties), properties };

@Controller('v1/notifications')
export class NotificationsController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Route({
    ...{
      method: 'GET',
      needs: 'notifications:read',
      summary: 'notifications, newest first; with state=dead those that nobody took',
      errors: [400],
    },
    query: { ...pageSchema, state, channel: nameSchema },
    answer: {
      type: 'object',
      required: ['items', 'next'],
      properties: { items: { type: 'array', items: answer }, next: { type: ['string', 'null'] } },
    },
  })
  async list(@Req() request: Request, @Query() query: Record<string, unknown>): Promise<object> {
    const { limit, after } = readPage(query, isUuid);
    const filter = {
      ...readFilter(query, 'state', `^(${states.join('|')})$`),
      ...readFilter(query, 'channel', nameSchema['pattern'] as string),
    };
    const found = await this.metadata.within(callerOf(request).workspaceId, ({ notifications }) =>
      notifications.list(limit, filter, after),
    );
    return toPage(found.map(toView), limit, ({ id }) => id);
  }

  @Route({
    ...{ method: 'POST', path: ':id/retry', needs: 'notifications:retry', summary: 'a dead notification is tried anew', status: 202 },
    ...{ answer, errors: [404, 409] },
  })
  async retry(@Req() request: Request, @Param('id') id: string): Promise<object> {
    requireUuid(id, 'notification');
    const { workspaceId, personId } = callerOf(request);
    return this.metadata.within(workspaceId, async (transaction) => {
      const before = await transaction.notifications.find(id);
      if (!before) throw toError('RESOURCE_UNKNOWN', { type: 'notification' });
      if (!(await transaction.notifications.revive(id))) throw toError('NOTIFICATION_NOT_DEAD', { name: before.state });
      const data = { notification: id, channel: before.channel };
      await transaction.audit({ type: 'notification.revived', at: toTimestamp(this.clock.now()), actor: personId, data });
      return toView((await transaction.notifications.find(id)) ?? before);
    });
  }
}

function readFilter(query: Record<string, unknown>, name: string, pattern: string): Record<string, string> {
  const value = query[name];
  if (value === undefined) return {};
  if (typeof value !== 'string' || !new RegExp(pattern).test(value))
    throw toError('REQUEST_INVALID', { name, expected: 'a value that /openapi lists' });
  return { [name]: value };
}

function toView({ id, channel, event, state: now, message, attempts, createdAt, nextAt, error, endedAt }: NotificationRow) {
  const next = now === 'waiting' ? nextAt.toISOString() : null;
  return {
    ...{ id, channel, event, state: now, message, attempts, createdAt: createdAt.toISOString() },
    ...{ nextAt: next, error, endedAt: endedAt?.toISOString() ?? null },
  };
}
