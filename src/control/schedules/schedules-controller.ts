// /v1/schedules: what is due when, what was last, and the hand that stops it without a new version.
import { Controller, Inject, Param, Query, Req } from '@nestjs/common';

import { type ShownDue, nextDue, parseDocuments, showDue } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import type { ScheduleDefinition } from '../../pipeline/definition.js';
import { type DocumentVersion, Metadata, type Transaction } from '../../systems/metadata/metadata.js';
import { DocumentsController } from '../documents-controller.js';
import { CLOCK, type Request, Route, callerOf, pageSchema, parseRequest, readPage, requireName, toPage } from '../http/http.js';
import { getSchedule } from './stored-schedule.js';
import { dueSchema, listSchema, previewSchema, stateSchema, toState, toStates, wantedSchema } from './schedule-view.js';

@Controller('v1/schedules')
export class SchedulesController extends DocumentsController {
  protected readonly kind = 'Schedule';

  constructor(
    @Inject(Metadata) protected readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    super();
  }

  @Route({
    ...{ method: 'GET', needs: 'documents:read', summary: 'the latest version of each, with what is due next and what was run last' },
    ...{ answer: listSchema, query: pageSchema, errors: [400] },
  })
  override async list(@Req() request: Request, @Query() query: Record<string, unknown>): Promise<object> {
    const { limit, after } = readPage(query);
    return this.metadata.within(callerOf(request).workspaceId, async (transaction) => {
      const found = await transaction.documents.list(this.kind, limit, after);
      const rows = await transaction.schedules.among(found.map(({ name }) => name));
      const states = await toStates(transaction, rows);
      const toItem = ({ document: _, ...head }: DocumentVersion): object => ({ ...head, ...states.find(({ name }) => name === head.name) });
      return { ...toPage(found, limit, ({ name }) => name), items: found.map(toItem) };
    });
  }

  @Route({
    ...{ method: 'GET', path: ':name/state', needs: 'documents:read', summary: 'what is due next, and what was run last' },
    ...{ answer: stateSchema, errors: [404] },
  })
  async state(@Req() request: Request, @Param('name') name: string): Promise<object> {
    return this.metadata.within(callerOf(request).workspaceId, async (transaction) => {
      const row = await transaction.schedules.find(requireName(name, 'schedule'));
      if (!row) throw toError('RESOURCE_UNKNOWN', { type: 'schedule' });
      return toState(transaction, row);
    });
  }

  @Route({
    ...{ method: 'POST', path: 'preview', needs: 'documents:read', summary: 'when a schedule would be due, without applying it' },
    ...{ answer: dueSchema, body: wantedSchema },
  })
  async preview(@Req() request: Request): Promise<{ readonly items: readonly ShownDue[] }> {
    const { count = 10, from, ...written } = parseRequest<{ count?: number; from?: string; cron: string }>(request.body, wantedSchema);
    const { documents, findings } = await parseDocuments(
      JSON.stringify({ kind: this.kind, name: 'preview', pipeline: 'preview', ...written }, undefined, 2),
    );
    if (documents.length === 0) throw toError('REQUEST_REFUSED', findings[0]?.where ?? {}, findings);
    const fromMs = from === undefined ? this.clock.now() : Date.parse(from);
    if (Number.isNaN(fromMs)) throw toError('REQUEST_REFUSED', { path: 'from' });
    return { items: showDue({ timeZone: 'UTC', ...written }, fromMs, count) };
  }

  @Route({
    ...{ method: 'GET', path: ':name/next', needs: 'documents:read', summary: 'when it is due next, on the clock of its zone' },
    ...{ answer: dueSchema, query: previewSchema, errors: [400, 404] },
  })
  async next(@Req() request: Request, @Param('name') name: string, @Query('count') count: unknown): Promise<object> {
    if (count !== undefined && !(typeof count === 'string' && /^[1-9]\d{0,2}$/.test(count)))
      throw toError('REQUEST_INVALID', { name: 'count', expected: 'a number from 1 to 999' });
    return this.metadata.within(callerOf(request).workspaceId, async (transaction) => {
      const row = await transaction.schedules.find(requireName(name, 'schedule'));
      if (!row) throw toError('RESOURCE_UNKNOWN', { type: 'schedule' });
      const fromMs = Math.max(this.clock.now(), row.decidedTo.getTime());
      return { items: showDue(await getSchedule(transaction, row), fromMs, Number(count ?? 10)) };
    });
  }

  @Route({
    ...{ method: 'POST', path: ':name/pause', needs: 'schedules:pause', summary: 'nothing of it is due until it is resumed' },
    ...{ answer: stateSchema, errors: [404] },
  })
  async pause(@Req() request: Request, @Param('name') name: string): Promise<object> {
    const { personId } = callerOf(request);
    return this.change(request, name, async (transaction, paused) => {
      if (!paused) await transaction.schedules.pause(name, new Date(this.clock.now()), personId);
      return 'schedule.paused';
    });
  }

  @Route({
    ...{ method: 'POST', path: ':name/resume', needs: 'schedules:pause', summary: 'it is due again from now on; what was due in between is not run' },
    ...{ answer: stateSchema, errors: [404] },
  }) // prettier-ignore
  async resume(@Req() request: Request, @Param('name') name: string): Promise<object> {
    return this.change(request, name, async (transaction, paused, schedule) => {
      const now = new Date(this.clock.now());
      if (paused) await transaction.schedules.resume(name, now, nextDue(schedule, now.getTime()));
      return 'schedule.resumed';
    });
  }

  /** The same again changes nothing and is no event. */
  private async change(
    request: Request,
    name: string,
    work: (transaction: Transaction, paused: boolean, schedule: ScheduleDefinition) => Promise<string>,
  ): Promise<object> {
    const { workspaceId, personId } = callerOf(request);
    return this.metadata.within(workspaceId, async (transaction) => {
      const before = await transaction.schedules.lock(requireName(name, 'schedule'));
      if (!before) throw toError('RESOURCE_UNKNOWN', { type: 'schedule' });
      const type = await work(transaction, before.pausedAt !== null, await getSchedule(transaction, before));
      const after = await transaction.schedules.find(name);
      if (after && (before.pausedAt === null) !== (after.pausedAt === null)) {
        const data = {
          schedule: name,
          version: before.version,
          paused: { before: before.pausedAt !== null, after: after.pausedAt !== null },
        };
        await transaction.audit({ type, at: toTimestamp(this.clock.now()), actor: personId, data });
      }
      return toState(transaction, after ?? before);
    });
  }
}
