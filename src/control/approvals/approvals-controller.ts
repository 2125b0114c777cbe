// /v1/approvals: what waits for a second person, and what he says.
import { Controller, Inject, Param, Query, Req } from '@nestjs/common';

import type { Settings } from '../../config/settings.js';
import type { Schema } from '../../documents/documents.js';
import type { Clock } from '../../kernel/clock.js';
import { type BautaError, toError, toKnownError } from '../../kernel/errors.js';
import {
  type ApprovalFilter, type ApprovalKind, type ApprovalRow, Metadata, type Transaction, approvalKinds, approvalStates,
} from '../../systems/metadata/metadata.js'; // prettier-ignore
import {
  CLOCK, SETTINGS, type Request, Route, callerOf, environmentsOf, hasRight, isUuid, pageSchema, readPage, requireRight, requireUuid, toPage,
} from '../http/http.js'; // prettier-ignore
import { CONSEQUENCES, type Consequences } from './consequences.js';
import { kindsFor, objectionTo, rightFor, toExpiry } from './second-person.js';

const instant: Schema = { type: ['string', 'null'], format: 'date-time' };
const person: Schema = { type: ['string', 'null'] };
const state: Schema = { type: 'string', enum: approvalStates, description: `one of ${approvalStates.join(', ')}` };
const properties: Readonly<Record<string, Schema>> = {
  ...{ id: { type: 'string', format: 'uuid' }, kind: { type: 'string', enum: approvalKinds }, state, digest: { type: 'string' } },
  subject: { type: 'object', description: 'what is approved; nothing else is' },
  environments: { type: 'array', items: { type: 'string' } },
  run: { type: ['string', 'null'] },
  ...{ requestedBy: person, requestedAt: instant, expiresAt: instant, decidedBy: person, decidedAt: instant },
};
const answer: Schema = { type: 'object', required: Object.keys(properties), properties };

@Controller('v1/approvals')
export class ApprovalsController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONSEQUENCES) private readonly consequences: Consequences,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Route({
    ...{ method: 'GET', needs: 'approvals:read', summary: 'what waits for a second person, and what waited, newest first', errors: [400] },
    query: { ...pageSchema, state },
    answer: {
      type: 'object',
      required: ['items', 'next'],
      properties: { items: { type: 'array', items: answer }, next: { type: ['string', 'null'] } },
    },
  })
  async list(@Req() request: Request, @Query() query: Record<string, unknown>): Promise<object> {
    const { limit, after } = readPage(query);
    const before = after === undefined ? undefined : readCursor(after);
    const wanted = query['state'];
    if (wanted !== undefined && !approvalStates.some((one) => one === wanted))
      throw toError('REQUEST_INVALID', { name: 'state', expected: approvalStates.join(', ') });
    const filter = { ...toFilter(request), ...(wanted === undefined ? {} : { state: wanted as string }) };
    return this.metadata.within(callerOf(request).workspaceId, async (transaction) => {
      const rows = await transaction.approvals.list(limit, filter, before);
      const views = await toViews(transaction, rows);
      return toPage(views, limit, ({ requestedAt, id }) => `${requestedAt} ${id}`);
    });
  }

  @Route({ method: 'GET', path: ':id', needs: 'approvals:read', summary: 'one of them', answer, errors: [404] })
  async get(@Req() request: Request, @Param('id') id: string): Promise<object> {
    requireUuid(id, 'approval');
    return this.metadata.within(callerOf(request).workspaceId, async (transaction) => {
      const [view] = await toViews(transaction, [requireVisible(request, await transaction.approvals.find(id))]);
      return view as object;
    });
  }

  @Route({
    ...{ method: 'POST', path: ':id/approve', needs: 'approvals:decide', answer, errors: [404, 409] },
    summary: 'it may go ahead: exactly what has this digest, and nothing else',
  })
  async approve(@Req() request: Request, @Param('id') id: string): Promise<object> {
    return this.decide(request, id, async (transaction, approval) => {
      const nowMs = this.clock.now();
      const { personId: actor } = callerOf(request);
      const state = await this.consequences[approval.kind].approved(transaction, approval, nowMs, actor);
      await transaction.approvals.transition(approval, state, {
        ...{ actor, decidedAt: new Date(nowMs) },
        ...(state === 'approved' ? { expiresAt: toExpiry({ nowMs, hours: this.settings.BAUTA_APPROVAL_HOURS }) } : {}),
      });
    });
  }

  @Route({ method: 'POST', path: ':id/refuse', needs: 'approvals:decide', summary: 'it may not go ahead', answer, errors: [404, 409] })
  async refuse(@Req() request: Request, @Param('id') id: string): Promise<object> {
    return this.decide(request, id, async (transaction, approval) => {
      await transaction.approvals.transition(approval, 'refused', {
        ...{ actor: callerOf(request).personId, decidedAt: new Date(this.clock.now()) },
      });
      await this.consequences[approval.kind].ended?.(transaction, approval, 'APPROVAL_REFUSED');
    });
  }

  private async decide(
    request: Request,
    id: string,
    carryOut: (transaction: Transaction, approval: ApprovalRow) => Promise<void>,
  ): Promise<object> {
    requireUuid(id, 'approval');
    const { workspaceId, personId } = callerOf(request);
    const lock = async (transaction: Transaction): Promise<ApprovalRow> => {
      const { kind } = requireVisible(request, await transaction.approvals.find(id));
      // Before the approval, as where a grant is asked for: two that lock both do not wait for each other.
      if (kindsFor('grants').includes(kind)) await transaction.people.lock();
      if (kind === 'documents' || kind === 'trust') await transaction.documents.lock();
      return transaction.approvals.lock(id);
    };
    try {
      return await this.metadata.within(workspaceId, async (transaction) => {
        const approval = await lock(transaction);
        if (approval.state !== 'waiting') throw toError('APPROVAL_NOT_OPEN', { name: approval.state });
        const objection = await objectionTo(transaction, approval, personId, this.clock.now());
        if (objection) throw objection;
        // A login may have less than its person.
        requireRight(request, rightFor(approval.kind), approval.environments);
        await carryOut(transaction, approval);
        const [view] = await toViews(transaction, [await lock(transaction)]);
        return view as object;
      });
    } catch (error) {
      if (toKnownError(error).code === 'APPROVAL_VOID') await this.makeVoid(workspaceId, id, error as BautaError);
      throw error;
    }
  }

  /** What was undone with the transaction is recorded in one of its own. */
  private async makeVoid(workspaceId: string, id: string, { code }: BautaError): Promise<void> {
    await this.metadata.within(workspaceId, async (transaction) => {
      const approval = await transaction.approvals.lock(id);
      if (approval.state !== 'waiting') return;
      await transaction.approvals.transition(approval, 'void');
      await this.consequences[approval.kind].ended?.(transaction, approval, code as 'APPROVAL_VOID');
    });
  }
}

/** Grants are the administrators' matter, runs and documents everybody else's; an auditor sees both. */
function toFilter(request: Request): ApprovalFilter {
  const { roles } = callerOf(request);
  const kinds: ApprovalKind[] = [
    ...(hasRight(roles, 'runs:read', []) || environmentsOf(roles, 'runs:read').length > 0 ? kindsFor('work') : []),
    ...(hasRight(roles, 'people:read', []) ? kindsFor('grants') : []),
  ];
  const environments = environmentsOf(roles, 'runs:read');
  return { kinds, ...(environments === 'all' || hasRight(roles, 'people:read', []) ? {} : { environments }) };
}

/** What one may not see is not there. */
function requireVisible(request: Request, approval: ApprovalRow | undefined): ApprovalRow {
  const { kinds, environments } = toFilter(request);
  const isSeen =
    approval !== undefined &&
    kinds.includes(approval.kind) &&
    (!environments || approval.environments.some((one) => environments.includes(one)));
  if (!isSeen) throw toError('RESOURCE_UNKNOWN', { type: 'approval' });
  return approval;
}

function readCursor(text: string): { readonly at: string; readonly id: string } {
  const [at = '', id = ''] = text.split(' ');
  if (!/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(at) || Number.isNaN(Date.parse(at)) || !isUuid(id))
    throw toError('REQUEST_INVALID', { name: 'cursor', expected: '`next` of the page before' });
  return { at, id };
}

interface ApprovalView extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly requestedAt: string;
}

async function toViews({ people }: Transaction, rows: readonly ApprovalRow[]): Promise<readonly ApprovalView[]> {
  const names = await people.namesOf(rows.flatMap(({ requestedBy, decidedBy }) => [requestedBy, decidedBy].filter((id) => id !== null)));
  const nameOf = (id: string | null): string | null => (id === null ? null : (names.get(id) ?? id));
  return rows.map(
    ({ id, kind, state: now, digest, subject, environments, runId, requestedBy, requestedAt, expiresAt, decidedBy, decidedAt }) => ({
      ...{ id, kind, state: now, digest, subject, environments, run: runId },
      ...{ requestedBy: nameOf(requestedBy), requestedAt: requestedAt.toISOString(), expiresAt: expiresAt.toISOString() },
      ...{ decidedBy: nameOf(decidedBy), decidedAt: decidedAt?.toISOString() ?? null },
    }),
  );
}
