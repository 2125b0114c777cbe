// /v1/incidents: what was opened, how far each step is, the files that came of it; opened, tried again and closed by people.
import { Controller, Inject, Param, Query, Req, Res } from '@nestjs/common';

import type { Settings } from '../../config/settings.js';
import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { playbookSteps } from '../../pipeline/playbook.js';
import { type IncidentOutcome, type IncidentRow, Metadata, type Transaction } from '../../systems/metadata/metadata.js';
import { openApproval } from '../approvals/approvals.js';
import {
  CLOCK, type Permission, type Request, type Response, Route, SETTINGS, callerOf, environmentsOf, nameSchema, pageSchema, parseRequest, readPage,
  requireRight, toPage,
} from '../http/http.js'; // prettier-ignore
import { findEnvironment } from '../runs/runs.js';
import { type LiftingFreeze, isSame, lift } from './incident-consequence.js';
import { openIncident } from './open-incident.js';

const text: Schema = { type: 'string' };
const nullable: Schema = { type: ['string', 'null'] };
const instant: Schema = { type: ['string', 'null'], format: 'date-time' };
const reason: Schema = {
  ...{ type: 'string', minLength: 1, maxLength: 1000, pattern: '^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$' },
  description: 'the log holds a commitment to it',
};
const object = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});

const head: Readonly<Record<string, Schema>> = {
  ...{ id: text, rule: text, environment: text, pipeline: text, playbook: text, playbookVersion: { type: 'integer' } },
  ...{ openedAt: instant, openedBy: nullable, anomaly: nullable, reason: nullable },
  state: { type: 'string', enum: ['under-way', 'open', 'closed'], description: 'under-way: not every step has ended' },
  frozen: { type: 'boolean', description: 'nothing is provisioned there' },
  ...{ closedAt: instant, closedBy: nullable, outcome: nullable, closeReason: nullable, liftApprovedBy: nullable, liftedAt: instant },
};
const step = object({
  step: { type: 'string', enum: playbookSteps },
  state: { type: 'string', enum: ['waiting', 'asked', 'done', 'skipped', 'failed'] },
  tries: { type: 'integer', description: 'that went wrong' },
  error: { ...nullable, description: 'why the last try did not do, as a code of docs/errors.md' },
  detail: { type: ['object', 'null'], description: 'what was done, in ids, counts and digests' },
  ...{ startedAt: instant, endedAt: instant },
});
const file = object({ name: text, mediaType: text, digest: text, size: { type: 'integer', description: 'bytes' } });
const answer = object({ ...head, steps: { type: 'array', items: step }, files: { type: 'array', items: file } });
const wanted: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['pipeline', 'reason'],
  properties: {
    pipeline: nameSchema,
    playbook: { ...nameSchema, description: 'default: pii-leak' },
    rule: { ...nameSchema, description: 'what says that something is wrong; default: manual' },
    reason,
  },
  description: 'pipeline, playbook, rule and reason',
};
const closing: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['outcome', 'reason'],
  properties: { outcome: { type: 'string', enum: ['resolved', 'false-alarm'], description: 'resolved or false-alarm' }, reason },
  description: 'outcome and reason',
};
const openOnly: Schema = { type: 'string', enum: ['true', 'false'], description: 'true: only those that are not closed' };

type Wanted = { readonly pipeline: string; readonly playbook?: string; readonly rule?: string; readonly reason: string };
type Closing = { readonly outcome: IncidentOutcome; readonly reason: string };

@Controller('v1/incidents')
export class IncidentsController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Route({
    ...{ method: 'POST', needs: 'incidents:open', status: 202, body: wanted, answer, errors: [404] },
    summary: 'open an incident about what a pipeline published; the same rule about the same is one incident while it is open',
  })
  async open(@Req() request: Request): Promise<object> {
    const { pipeline, playbook = 'pii-leak', rule = 'manual', reason: why } = parseRequest<Wanted>(request.body, wanted);
    const { workspaceId, personId } = callerOf(request);
    return this.metadata.within(workspaceId, async (transaction) => {
      requireRight(request, 'incidents:open', [await findEnvironment(transaction, pipeline)]);
      const who = { openedBy: personId, answeredBy: personId };
      const { id } = await openIncident(transaction, { rule, pipeline, playbook, ...who, reason: why }, this.clock);
      return toWhole(transaction, (await transaction.incidents.find(id))!);
    });
  }

  @Route({
    ...{ method: 'GET', needs: 'incidents:read', query: { ...pageSchema, open: openOnly }, errors: [400] },
    summary: 'incidents, newest first',
    answer: object({ items: { type: 'array', items: object(head) }, next: nullable }),
  })
  async list(@Req() request: Request, @Query() query: Record<string, unknown>): Promise<object> {
    const { limit, after } = readPage(query);
    if (after !== undefined && !isId(after)) throw toError('REQUEST_INVALID', { name: 'cursor', expected: '`next` of the page before' });
    const { open } = query;
    if (open !== undefined && open !== 'true' && open !== 'false')
      throw toError('REQUEST_INVALID', { name: 'open', expected: 'true or false' });
    const { workspaceId, roles } = callerOf(request);
    const environments = environmentsOf(roles, 'incidents:read');
    const filter = { ...(open === undefined ? {} : { open: open === 'true' }), ...(environments === 'all' ? {} : { environments }) };
    return this.metadata.within(workspaceId, async (transaction) => {
      const views: { readonly id: string }[] = [];
      for (const row of await transaction.incidents.list(limit, filter, after)) views.push(await toHead(transaction, row));
      return toPage(views, limit, ({ id }) => id);
    });
  }

  @Route({ method: 'GET', path: ':id', needs: 'incidents:read', answer, errors: [404], summary: 'an incident, its steps and its files' })
  async get(@Req() request: Request, @Param('id') id: string): Promise<object> {
    return this.metadata.within(callerOf(request).workspaceId, async (transaction) =>
      toWhole(transaction, await this.find(transaction, request, id, 'incidents:read')),
    );
  }

  @Route({
    ...{
      method: 'GET',
      path: ':id/files/:name',
      needs: 'incidents:evidence',
      answerType: 'application/octet-stream',
      answer: { type: 'string', format: 'binary' },
      errors: [404],
    },
    summary: 'a file that came of an incident, as it was written',
  })
  async file(@Req() request: Request, @Param('id') id: string, @Param('name') name: string, @Res() response: Response): Promise<void> {
    const found = await this.metadata.within(callerOf(request).workspaceId, async (transaction) => {
      await this.find(transaction, request, id, 'incidents:evidence');
      return /^[a-z0-9.-]{1,60}$/.test(name) ? transaction.incidents.findFile(id, name) : undefined;
    });
    if (!found) throw toError('RESOURCE_UNKNOWN', { type: 'file' });
    response.writeHead(200, {
      ...{ 'Content-Type': 'application/octet-stream', 'Content-Length': found.bytes.length, 'Cache-Control': 'no-store' },
      'Content-Disposition': `attachment; filename="${found.name}"`,
    });
    response.end(found.bytes);
  }

  @Route({
    ...{ method: 'POST', path: ':id/retry', needs: 'incidents:open', status: 202, answer, errors: [404, 409] },
    summary: 'steps that failed are tried anew',
  })
  async retry(@Req() request: Request, @Param('id') id: string): Promise<object> {
    const { workspaceId, personId: actor } = callerOf(request);
    return this.metadata.within(workspaceId, async (transaction) => {
      const row = await this.find(transaction, request, id, 'incidents:open', 'FOR UPDATE');
      const failed = (await transaction.incidents.steps(id)).filter(({ state }) => state === 'failed');
      if (row.closedAt !== null || failed.length === 0) throw toError('INCIDENT_NOTHING_FAILED', { name: id });
      for (const one of failed)
        await transaction.incidents.keepStep(id, { ...one, state: 'waiting', errand: null, startedAt: null, endedAt: null });
      const data = { incident: id, steps: failed.map((one) => one.step) };
      await transaction.audit({ type: 'incident.retried', at: toTimestamp(this.clock.now()), actor, data });
      return toWhole(transaction, row);
    });
  }

  @Route({
    ...{ method: 'POST', path: ':id/close', needs: 'incidents:close', body: closing, answer, errors: [404, 409] },
    summary: 'close an incident; the freeze is lifted when somebody else agrees, or has',
  })
  async close(@Req() request: Request, @Param('id') id: string): Promise<object> {
    const { workspaceId, personId } = callerOf(request);
    return this.metadata.within(workspaceId, async (transaction) => {
      const row = await this.find(transaction, request, id, 'incidents:close', 'FOR UPDATE');
      const { outcome, reason: why } = parseRequest<Closing>(request.body, closing);
      if (row.closedAt !== null) throw toError('INCIDENT_CLOSED', { name: id });
      const steps = await transaction.incidents.steps(id);
      if (steps.some(({ endedAt }) => endedAt === null)) throw toError('INCIDENT_UNDER_WAY', { name: id });
      // Whoever has agreed that it be lifted does not say as well that it is over.
      if (row.liftApprovedBy !== null && (await isSame(transaction, row.liftApprovedBy, personId))) throw toError('APPROVAL_OF_OWN');
      const nowMs = this.clock.now();
      const closeReason = await transaction.log.keepText(why);
      await transaction.incidents.close(id, { closedBy: personId, outcome, closeReason, at: new Date(nowMs) });
      const closed = (await transaction.incidents.find(id))!;
      await tellClosed(transaction, closed, nowMs);
      if (closed.liftApprovedBy !== null) await lift(transaction, closed, { nowMs });
      else if (closed.frozenAt !== null) await askAgain(transaction, closed, { nowMs, hours: this.settings.BAUTA_APPROVAL_HOURS });
      return toWhole(transaction, (await transaction.incidents.find(id))!);
    });
  }

  /** One of an environment that the caller may not look at is not there. Throws RESOURCE_UNKNOWN, ACCESS_DENIED. */
  private async find(
    { incidents }: Transaction,
    request: Request,
    id: string,
    needs: Permission,
    lock: '' | 'FOR UPDATE' = '',
  ): Promise<IncidentRow> {
    const row = isId(id) ? await incidents.find(id, lock) : undefined;
    const environments = environmentsOf(callerOf(request).roles, 'incidents:read');
    if (!row || (environments !== 'all' && !environments.includes(row.environment)))
      throw toError('RESOURCE_UNKNOWN', { type: 'incident' });
    requireRight(request, needs, [row.environment]);
    return row;
  }
}

const isId = (id: string): boolean => /^[0-9a-z]{16}$/.test(id);

async function tellClosed(transaction: Transaction, row: IncidentRow, nowMs: number): Promise<void> {
  const { id, rule, environment, pipeline, outcome, closeReason, closedBy } = row;
  const at = toTimestamp(nowMs);
  const data = { incident: id, rule, environment, dataset: pipeline, outcome, reason: { committed: closeReason } };
  await transaction.audit({ type: 'incident.closed', at, actor: closedBy!, data });
  await transaction.notifications.note({ type: 'incident.closed', at, data: { incident: id, rule, environment, pipeline } });
}

/** The approval that the playbook opened may have waited too long, or have been refused, or there was none. */
async function askAgain(
  transaction: Transaction,
  { id, rule, environment, pipeline, openedBy, closedBy }: IncidentRow,
  term: { readonly nowMs: number; readonly hours: number },
): Promise<void> {
  const subject: LiftingFreeze = { incident: id, rule, environment, dataset: pipeline };
  const authorIds = [...(openedBy === null ? [] : [openedBy]), closedBy!];
  const thing = { ...subject };
  await openApproval(
    transaction,
    { kind: 'incident', requestedBy: openedBy, authorIds, environments: [environment], subject, thing },
    term,
  );
}

async function toHead(transaction: Transaction, row: IncidentRow): Promise<{ readonly id: string; readonly [member: string]: unknown }> {
  const { id, rule, environment, pipeline, playbook, playbookVersion, openedBy, anomaly, outcome, closedBy, liftApprovedBy } = row;
  const at = (date: Date | null): string | null => date?.toISOString() ?? null;
  const isUnderWay = (await transaction.incidents.steps(id)).some(({ endedAt }) => endedAt === null);
  const committed = (said: string | null): unknown => (said === null ? null : { committed: said });
  const [view] = await transaction.log.withTexts([
    {
      ...{ id, rule, environment, pipeline, playbook, playbookVersion, openedAt: at(row.openedAt), openedBy, anomaly },
      ...{ reason: committed(row.reason), state: isUnderWay ? 'under-way' : row.closedAt === null ? 'open' : 'closed' },
      ...{ frozen: row.frozenAt !== null && row.liftedAt === null, closedAt: at(row.closedAt), closedBy, outcome },
      ...{ closeReason: committed(row.closeReason), liftApprovedBy, liftedAt: at(row.liftedAt) },
    },
  ]);
  return view as { readonly id: string };
}

async function toWhole(transaction: Transaction, row: IncidentRow): Promise<object> {
  const steps = (await transaction.incidents.steps(row.id)).map(({ step: name, state, tries, error, detail, startedAt, endedAt }) => ({
    ...{ step: name, state, tries, error, detail, startedAt: startedAt?.toISOString() ?? null, endedAt: endedAt?.toISOString() ?? null },
  }));
  return { ...(await toHead(transaction, row)), steps, files: await transaction.incidents.files(row.id) };
}
