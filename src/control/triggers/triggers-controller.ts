// /v1/triggers: what asks for runs when something happens, and where a webhook is sent to.
import { Controller, Inject, Param, Query, Req } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { type DocumentVersion, Metadata, type TriggerRow } from '../../systems/metadata/metadata.js';
import { DocumentsController } from '../documents-controller.js';
import { CLOCK, type Request, Route, callerOf, nameSchema, pageSchema, readPage, requireName, toPage } from '../http/http.js';

const state: Readonly<Record<string, Schema>> = {
  ...{ name: nameSchema, version: { type: 'integer' }, paused: { type: 'boolean' } },
  address: { type: ['string', 'null'], description: 'where its webhook is sent to; null: it waits for datasets' },
};
const stateSchema: Schema = { type: 'object', required: Object.keys(state), properties: state };
const item: Readonly<Record<string, Schema>> = {
  ...{
    kind: { type: 'string' },
    digest: { type: 'string' },
    author: { type: 'string' },
    appliedAt: { type: 'string', format: 'date-time' },
  },
  ...state,
};
const listSchema: Schema = {
  type: 'object',
  required: ['items', 'next'],
  properties: {
    items: { type: 'array', items: { type: 'object', required: Object.keys(item), properties: item } },
    next: { type: ['string', 'null'] },
  },
};

@Controller('v1/triggers')
export class TriggersController extends DocumentsController {
  protected readonly kind = 'Trigger';

  constructor(
    @Inject(Metadata) protected readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    super();
  }

  @Route({
    ...{ method: 'GET', needs: 'documents:read', summary: 'the latest version of each, with the address of its webhook' },
    ...{ answer: listSchema, query: pageSchema, errors: [400] },
  })
  override async list(@Req() request: Request, @Query() query: Record<string, unknown>): Promise<object> {
    const { limit, after } = readPage(query);
    return this.metadata.within(callerOf(request).workspaceId, async (transaction) => {
      const found = await transaction.documents.list(this.kind, limit, after);
      const rows = await transaction.triggers.among(found.map(({ name }) => name));
      const states = rows.map(toState);
      const toItem = ({ document: _, ...head }: DocumentVersion): object => ({ ...head, ...states.find(({ name }) => name === head.name) });
      return { ...toPage(found, limit, ({ name }) => name), items: found.map(toItem) };
    });
  }

  @Route({
    ...{ method: 'GET', path: ':name/state', needs: 'documents:read', summary: 'whether it is paused, and the address of its webhook' },
    ...{ answer: stateSchema, errors: [404] },
  })
  async state(@Req() request: Request, @Param('name') name: string): Promise<object> {
    return this.metadata.within(callerOf(request).workspaceId, async (transaction) => {
      const row = await transaction.triggers.find(requireName(name, 'trigger'));
      if (!row) throw toError('RESOURCE_UNKNOWN', { type: 'trigger' });
      return toState(row);
    });
  }

  @Route({
    ...{ method: 'POST', path: ':name/pause', needs: 'schedules:pause', summary: 'nothing is asked for by it until it is resumed' },
    ...{ answer: stateSchema, errors: [404] },
  })
  async pause(@Req() request: Request, @Param('name') name: string): Promise<object> {
    return this.setPaused(request, name, true);
  }

  @Route({
    ...{
      method: 'POST',
      path: ':name/resume',
      needs: 'schedules:pause',
      summary: 'it answers again; what happened in between is not answered',
    },
    ...{ answer: stateSchema, errors: [404] },
  })
  async resume(@Req() request: Request, @Param('name') name: string): Promise<object> {
    return this.setPaused(request, name, false);
  }

  /** The same again changes nothing and is no event. */
  private async setPaused(request: Request, name: string, wanted: boolean): Promise<object> {
    const { workspaceId, personId } = callerOf(request);
    return this.metadata.within(workspaceId, async (transaction) => {
      const row = await transaction.triggers.lock(requireName(name, 'trigger'));
      if (!row) throw toError('RESOURCE_UNKNOWN', { type: 'trigger' });
      const before = row.pausedAt !== null;
      if (before === wanted) return toState(row);
      const now = new Date(this.clock.now());
      await transaction.triggers.setPaused(name, wanted ? { at: now, by: personId } : undefined, now);
      const data = { trigger: name, version: row.version, paused: { before, after: wanted } };
      const type = wanted ? 'trigger.paused' : 'trigger.resumed';
      await transaction.audit({ type, at: toTimestamp(now.getTime()), actor: personId, data });
      return toState({ ...row, pausedAt: wanted ? now : null });
    });
  }
}

function toState({ id, name, version, watches, pausedAt }: TriggerRow): { readonly name: string; readonly [member: string]: unknown } {
  return { name, version, paused: pausedAt !== null, address: watches === null ? `/v1/webhooks/${id}` : null };
}
