// /v1/waivers: a finding that does not count for a while. Somebody asks with a reason and an end, somebody else agrees; a gate shows each of them.
import { Controller, Inject, Param, Query, Req } from '@nestjs/common';

import type { Settings } from '../../config/settings.js';
import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { Metadata, type WaiverRow, type WaiverScope, waiverScopes } from '../../systems/metadata/metadata.js';
import { type Pending, openApproval, pendingSchema } from '../approvals/approvals.js';
import {
  CLOCK, type Request, Route, SETTINGS, callerOf, isUuid, pageSchema, parseRequest, readPage, requireRight, requireUuid, toPage,
} from '../http/http.js'; // prettier-ignore
import type { Waiving } from './waiver-consequence.js';

/** Nobody waives for longer at once. */
const MOST_DAYS = 365;
const DAY_MS = 86_400_000;

const instant: Schema = { type: 'string', format: 'date-time' };
const scopeNames = Object.fromEntries(
  waiverScopes.map((name): [string, Schema] => [name, { type: 'string', pattern: '^[\\x21-\\x7e]{1,200}$' }]),
);
const wanted: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['rule', 'reason', 'until'],
  properties: {
    rule: {
      type: 'string',
      minLength: 1,
      maxLength: 300,
      pattern: '^[^\\u0000-\\u001f]+$',
      description: 'as the tool names it, for example CVE-2026-1234',
    },
    fingerprint: {
      type: 'string',
      pattern: '^[0-9a-f]{32}$',
      description: 'of one finding; default: every finding of the rule within the scope',
    },
    scope: {
      type: 'object',
      additionalProperties: false,
      minProperties: 1,
      maxProperties: 1,
      properties: {
        ...scopeNames,
        image: { type: 'string', pattern: '^sha256:[0-9a-f]{64}$' },
      },
      description: 'a repository by its number at the issuer of its jobs, an image by its digest, or an environment; default: everywhere',
    },
    reason: {
      type: 'string',
      minLength: 1,
      maxLength: 1000,
      pattern: '^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$',
      description: 'the log holds a commitment to it',
    },
    until: {
      type: 'string',
      pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?(Z|[+-]\\d{2}:\\d{2})$',
      description: `RFC 3339, at most ${MOST_DAYS} days away`,
    },
  },
};
const properties: Readonly<Record<string, Schema>> = {
  id: { type: 'string', format: 'uuid' },
  rule: { type: 'string' },
  fingerprint: { type: ['string', 'null'] },
  scope: { type: ['object', 'null'], description: 'null: everywhere' },
  reason: { type: 'string' },
  askedBy: { type: 'string', format: 'uuid' },
  approval: { type: 'string', format: 'uuid', description: 'by which somebody else agreed' },
  grantedAt: instant,
  until: instant,
  state: { type: 'string', enum: ['standing', 'over', 'ended'] },
};
const answer: Schema = { type: 'object', required: Object.keys(properties), properties };

type Wanted = { readonly rule: string; readonly fingerprint?: string; readonly scope?: Partial<Record<WaiverScope, string>>; readonly reason: string; readonly until: string }; // prettier-ignore

@Controller('v1/waivers')
export class WaiversController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Route({
    ...{ method: 'POST', needs: 'waivers:create', status: 202, body: wanted },
    answer: { type: 'object', required: ['approval'], properties: { approval: pendingSchema } },
    summary: 'ask that a finding does not count until an instant; it waits until an approver who did not ask agrees',
  })
  async ask(@Req() request: Request): Promise<{ approval: Pending }> {
    const { rule, fingerprint = null, scope = {}, reason, until } = parseRequest<Wanted>(request.body, wanted);
    const nowMs = this.clock.now();
    const end = Date.parse(until);
    if (!(end > nowMs && end <= nowMs + MOST_DAYS * DAY_MS)) throw toError('WAIVER_TERM', { name: until, amount: `${MOST_DAYS} days` });
    const [[scopeKind, name] = [null, null]] = Object.entries(scope) as readonly [WaiverScope, string][];
    const environments = scopeKind === 'environment' ? [name] : [];
    requireRight(request, 'waivers:create', environments);
    const { workspaceId, personId: requestedBy } = callerOf(request);
    const subject: Waiving = { rule, fingerprint, scopeKind, scope: name, reason, until: new Date(end).toISOString() };
    const waiting = {
      kind: 'waiver' as const,
      requestedBy,
      authorIds: [requestedBy],
      environments,
      subject,
      thing: { ...subject, requestedBy },
    };
    const term = { nowMs, hours: this.settings.BAUTA_APPROVAL_HOURS };
    return { approval: await this.metadata.within(workspaceId, (transaction) => openApproval(transaction, waiting, term)) };
  }

  @Route({
    ...{ method: 'GET', needs: 'waivers:read', query: pageSchema, errors: [400] },
    answer: {
      type: 'object',
      required: ['items', 'next'],
      properties: { items: { type: 'array', items: answer }, next: { type: ['string', 'null'] } },
    },
    summary: 'waivers that were granted, newest first, also those that are over',
  })
  async list(@Req() request: Request, @Query() query: Readonly<Record<string, unknown>>): Promise<object> {
    const page = readPage(query);
    if (page.after !== undefined && !isUuid(page.after))
      throw toError('REQUEST_INVALID', { name: 'cursor', expected: '`next` of the page before' });
    return this.metadata.within(callerOf(request).workspaceId, async ({ waivers, log }) => {
      const { items, next } = toPage(await waivers.list(page), page.limit, ({ id }) => id);
      return { items: await log.withTexts(items.map((row) => toView(row, this.clock.now()))), next };
    });
  }

  @Route({
    ...{ method: 'DELETE', path: ':id', needs: 'waivers:end', status: 204, errors: [404, 409] },
    summary: 'end a waiver before its time',
  })
  async end(@Req() request: Request, @Param('id') id: string): Promise<void> {
    const { workspaceId, personId: actor } = callerOf(request);
    const nowMs = this.clock.now();
    await this.metadata.within(workspaceId, async (transaction) => {
      const row = await transaction.waivers.find(requireUuid(id, 'waiver'));
      if (!row) throw toError('RESOURCE_UNKNOWN', { type: 'waiver' });
      requireRight(request, 'waivers:end', row.scopeKind === 'environment' ? [row.scope!] : []);
      if (!(await transaction.waivers.end(id, actor, new Date(nowMs)))) throw toError('WAIVER_OVER');
      await transaction.audit({ type: 'waiver.ended', at: toTimestamp(nowMs), actor, data: { waiver: id } });
    });
  }
}

function toView(
  { id, rule, fingerprint, scopeKind, scope, reason, askedBy, approval, grantedAt, until, endedAt }: WaiverRow,
  nowMs: number,
): object {
  return {
    ...{
      id,
      rule,
      fingerprint,
      scope: scopeKind === null ? null : { [scopeKind]: scope },
      reason: { committed: reason },
      askedBy,
      approval,
    },
    ...{ grantedAt: grantedAt.toISOString(), until: until.toISOString() },
    state: endedAt === null ? (until.getTime() > nowMs ? 'standing' : 'over') : 'ended',
  };
}
