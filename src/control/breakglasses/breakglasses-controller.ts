// /v1/breakglasses: somebody asks, two others agree, whoever may ask the gate fetches the signed note, and somebody else again reviews its use.
import { Controller, Inject, Param, Query, Req } from '@nestjs/common';

import type { Settings } from '../../config/settings.js';
import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { formatVerifierKey } from '../../kernel/signed-note.js';
import { longestBreakglassMs, toBreakglassText } from '../../pipeline/breakglass.js';
import { type BreakglassRow, Metadata, type Transaction } from '../../systems/metadata/metadata.js';
import { type Pending, openApproval, pendingSchema } from '../approvals/approvals.js';
import { findGate } from '../gates/gates.js';
import {
  CLOCK, type Permission, type Request, Route, SETTINGS, callerOf, environmentsOf, isUuid, nameSchema, pageSchema, parseRequest, readPage,
  requireRight, requireUuid, toPage,
} from '../http/http.js'; // prettier-ignore
import { untilSequenced } from '../until-sequenced.js';
import { type Breaking, waitingHours } from './breakglass-consequence.js';
import { breakglassSchema, toBreakglassView } from './breakglass-view.js';

/** Less than what a client waits. */
const PATIENCE_MS = 20_000;
const MOST_MINUTES = longestBreakglassMs / 60_000;

const words = (description: string): Schema => ({
  ...{ type: 'string', minLength: 1, maxLength: 1000, pattern: '^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$', description },
});
export const commitSchema: Schema = {
  ...{ type: 'string', pattern: '^([0-9a-f]{40}|[0-9a-f]{64})$', description: 'a whole commit id in hexadecimal' },
};
const wanted: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['gate', 'environment', 'service', 'commit', 'reason'],
  properties: {
    ...{ gate: nameSchema, environment: nameSchema, service: nameSchema, commit: commitSchema },
    minutes: { type: 'integer', minimum: 1, maximum: MOST_MINUTES, default: MOST_MINUTES, description: 'how long it is good for, from the second yes on' },
    reason: words('why; the log holds a commitment to it'),
  },
}; // prettier-ignore
const reviewed: Schema = {
  ...{ type: 'object', additionalProperties: false, required: ['comment'], description: 'comment' },
  properties: { comment: words('what the review found; the log holds a commitment to it') },
};
const noted: Schema = {
  type: 'object',
  required: ['note', 'verifier', 'expiresAt'],
  properties: {
    note: { type: 'string', description: 'a signed note (c2sp.org/signed-note): keep it where a job can read it and nobody else' },
    verifier: { type: 'string', description: 'the public key of the log; a job that checks it offline has it from before' },
    expiresAt: { type: 'string', format: 'date-time' },
  },
};

type Wanted = Pick<Breaking, 'gate' | 'environment' | 'service' | 'commit' | 'reason'> & { readonly minutes?: number };

@Controller('v1/breakglasses')
export class BreakglassesController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Route({
    ...{ method: 'POST', needs: 'breakglasses:ask', status: 202, body: wanted, errors: [404] },
    answer: { type: 'object', required: ['approval'], properties: { approval: pendingSchema } },
    summary: 'ask for one deployment past a gate; it takes two approvers who did not ask',
  })
  async ask(@Req() request: Request): Promise<{ approval: Pending }> {
    const { minutes = MOST_MINUTES, ...rest } = parseRequest<Wanted>(request.body, wanted);
    const environments = [rest.environment];
    requireRight(request, 'breakglasses:ask', environments);
    const { workspaceId, personId: requestedBy } = callerOf(request);
    const subject: Breaking = { ...rest, minutes, approvals: [], approvedBy: [] };
    const waiting = { kind: 'breakglass' as const, requestedBy, authorIds: [requestedBy], environments, subject };
    const term = { nowMs: this.clock.now(), hours: Math.min(this.settings.BAUTA_APPROVAL_HOURS, waitingHours) };
    return this.metadata.within(workspaceId, async (transaction) => {
      await findGate(transaction, rest.gate);
      return { approval: await openApproval(transaction, { ...waiting, thing: { ...subject, requestedBy } }, term) };
    });
  }

  @Route({
    ...{ method: 'GET', needs: 'breakglasses:read', query: pageSchema, errors: [400] },
    answer: {
      type: 'object',
      required: ['items', 'next'],
      properties: { items: { type: 'array', items: breakglassSchema }, next: { type: ['string', 'null'] } },
    },
    summary: 'what was issued, newest first, with its use and its review',
  })
  async list(@Req() request: Request, @Query() query: Readonly<Record<string, unknown>>): Promise<object> {
    const page = readPage(query);
    if (page.after !== undefined && !isUuid(page.after))
      throw toError('REQUEST_INVALID', { name: 'cursor', expected: '`next` of the page before' });
    const { workspaceId, roles } = callerOf(request);
    const mine = environmentsOf(roles, 'breakglasses:read');
    return this.metadata.within(workspaceId, async ({ breakglasses, log }) => {
      const { items, next } = toPage(await breakglasses.list(page), page.limit, ({ id }) => id);
      const seen = items.filter(({ environment }) => mine === 'all' || mine.includes(environment));
      return { items: await log.withTexts(seen.map((row) => toBreakglassView(row, this.clock.now()))), next };
    });
  }

  @Route({ method: 'GET', path: ':id', needs: 'breakglasses:read', summary: 'one of them', answer: breakglassSchema, errors: [404] })
  async get(@Req() request: Request, @Param('id') id: string): Promise<object> {
    return this.metadata.within(callerOf(request).workspaceId, async (transaction) =>
      this.view(transaction, await findBreakglass(transaction, request, id, 'breakglasses:read')),
    );
  }

  @Route({
    ...{ method: 'GET', path: ':id/note', needs: 'gates:decide', answer: noted, errors: [404] },
    summary: 'the signed note, by which `bauta gate check` goes past the gate once, also where nothing can be reached',
  })
  async note(@Req() request: Request, @Param('id') id: string): Promise<object> {
    const { workspaceId } = callerOf(request);
    const row = await this.metadata.within(workspaceId, (transaction) => findBreakglass(transaction, request, id, 'gates:decide'));
    requireRight(request, 'gates:decide', [row.environment]);
    if (row.expiresAt.getTime() <= this.clock.now())
      throw toError('BREAKGLASS_REFUSED', { name: `it expired at ${row.expiresAt.toISOString()}` });
    if (row.uses.length > 0) throw toError('BREAKGLASS_USED');
    const note = row.note ?? (await this.sign(workspaceId, row));
    const verifier = await this.metadata.within(workspaceId, ({ log }) => log.verifier());
    return { note, verifier: verifier ? formatVerifierKey(verifier) : '', expiresAt: row.expiresAt.toISOString() };
  }

  @Route({
    ...{ method: 'POST', path: ':id/review', needs: 'breakglasses:review', answer: breakglassSchema, body: reviewed, errors: [404, 409] },
    summary: 'somebody who neither asked nor approved nor used it has looked at its use',
  })
  async review(@Req() request: Request, @Param('id') id: string): Promise<object> {
    const { workspaceId, personId } = callerOf(request);
    const nowMs = this.clock.now();
    return this.metadata.within(workspaceId, async (transaction) => {
      const { breakglasses, people, log } = transaction;
      const { environment } = await findBreakglass(transaction, request, id, 'breakglasses:review');
      requireRight(request, 'breakglasses:review', [environment]);
      const { comment: text } = parseRequest<{ readonly comment: string }>(request.body, reviewed);
      const row = (await breakglasses.lock(id))!;
      if (row.uses.length === 0) throw toError('BREAKGLASS_UNUSED');
      if (row.reviewedAt !== null) throw toError('BREAKGLASS_REVIEWED');
      const involved = await people.ownersOf([row.askedBy, ...row.approvedBy, ...row.uses.map(({ receivedBy }) => receivedBy)]);
      if ([...(await people.ownersOf([personId]))].some((owner) => involved.has(owner))) throw toError('BREAKGLASS_REVIEW_OWN');
      const comment = await log.keepText(text);
      await breakglasses.review(id, { personId, at: new Date(nowMs), comment });
      const data = { breakglass: id, comment: { committed: comment } };
      await transaction.audit({ type: 'breakglass.reviewed', at: toTimestamp(nowMs), actor: personId, data });
      return this.view(transaction, (await breakglasses.find(id))!);
    });
  }

  /** By the sequencer, which holds it against the log. The same text has one signature: who comes at the same moment gets the same note. */
  private async sign(workspaceId: string, row: BreakglassRow): Promise<string> {
    const { id, gate, environment, service, commit, issuedAt, expiresAt } = row;
    const appended = await untilSequenced(this.metadata, workspaceId, ({ log }) => log.find(row.key), PATIENCE_MS);
    const place = { origin: appended.checkpoint.origin, index: appended.index };
    const text = toBreakglassText({
      ...{ id, gate, environment, service, commit, issuedAt: issuedAt.toISOString(), expiresAt: expiresAt.toISOString(), log: place },
    });
    const asked = await this.metadata.within(workspaceId, ({ log }) => log.requestNote(text));
    const note = await untilSequenced(this.metadata, workspaceId, ({ log }) => log.findNote(asked), PATIENCE_MS);
    if (note === '') throw toError('LOG_SIGNATURE_REFUSED', { stage: 'audit' });
    await this.metadata.within(workspaceId, ({ breakglasses }) => breakglasses.keepNote(id, note));
    return note;
  }

  private async view({ log }: Transaction, row: BreakglassRow): Promise<object> {
    const [view] = await log.withTexts([toBreakglassView(row, this.clock.now())]);
    return view as object;
  }
}

/** One of an environment that the caller may not look at is not there. */
export async function findBreakglass(
  { breakglasses }: Transaction,
  request: Request,
  id: string,
  right: Permission,
): Promise<BreakglassRow> {
  const row = await breakglasses.find(requireUuid(id, 'break-glass'));
  const mine = environmentsOf(callerOf(request).roles, right);
  if (!row || (mine !== 'all' && !mine.includes(row.environment))) throw toError('RESOURCE_UNKNOWN', { type: 'break-glass' });
  return row;
}
