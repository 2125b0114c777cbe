// /v1/access-reviews: a list of who holds which role, API key and login of a clone, decided of one by one by somebody who does not hold it.
import { Controller, Inject, Param, Query, Req } from '@nestjs/common';

import type { Settings } from '../../config/settings.js';
import type { Schema } from '../../documents/documents.js';
import type { Clock } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { type AccessReviewItem, type AccessReviewRow, Metadata, type Transaction } from '../../systems/metadata/metadata.js';
import {
  CLOCK, type Request, Route, SETTINGS, callerOf, isUuid, pageSchema, parseRequest, readPage, requireUuid, toPage,
} from '../http/http.js'; // prettier-ignore
import { REVIEW_DAYS } from './access-review-clock.js';
import { type Deciding, decideItem } from './decide-item.js';
import { openReview, toHeld } from './open-review.js';

const instant: Schema = { type: 'string', format: 'date-time' };
const maybeInstant: Schema = { ...instant, type: ['string', 'null'] };
const count: Schema = { type: 'integer', minimum: 0 };
const reviewProperties: Readonly<Record<string, Schema>> = {
  id: { type: 'string', format: 'uuid' },
  openedBy: { type: ['string', 'null'], description: 'a person’s name; null: the service, because the last one was long ago' },
  ...{ openedAt: instant, dueAt: instant, closedAt: maybeInstant },
  ...{ items: count, kept: count, revoked: count },
  exception: { type: 'boolean', description: 'it was not, or is not, decided in time' },
};
const reviewSchema: Schema = { type: 'object', required: Object.keys(reviewProperties), properties: reviewProperties };
const itemProperties: Readonly<Record<string, Schema>> = {
  item: { type: 'integer', minimum: 1 },
  kind: { enum: ['role', 'apikey', 'clone'] },
  person: { type: 'string', description: 'who holds it; of a service account its name' },
  holds: { type: 'string', description: 'a role with its environment, or the id of a key or of a clone' },
  environment: { type: ['string', 'null'] },
  since: { ...maybeInstant, description: 'when it was given; of a role when the person’s roles were set last' },
  lastUsedAt: {
    ...maybeInstant,
    description: 'to the hour, by API keys; of a clone when its login was fetched; null: not known, or never',
  },
  decision: { enum: ['keep', 'revoke', null] },
  decidedBy: { type: ['string', 'null'] },
  decidedAt: maybeInstant,
  reason: { type: ['string', 'null'] },
  effect: { enum: ['done', 'waits', 'gone', null], description: 'waits: for another administrator; gone: it was held no more' },
};
const itemSchema: Schema = { type: 'object', required: Object.keys(itemProperties), properties: itemProperties };
const page = (items: Schema): Schema => ({
  type: 'object',
  required: ['items', 'next'],
  properties: { items: { type: 'array', items }, next: { type: ['string', 'null'] } },
});
const wanted: Schema = {
  ...{ type: 'object', additionalProperties: false, description: 'days' },
  properties: {
    days: { type: 'integer', minimum: 1, maximum: 90, default: REVIEW_DAYS, description: 'within how many it is to be decided' },
  },
};
const decided: Schema = {
  ...{ type: 'object', additionalProperties: false, required: ['decision', 'reason'], description: 'decision and reason' },
  properties: {
    decision: { enum: ['keep', 'revoke'] },
    reason: {
      ...{ type: 'string', minLength: 1, maxLength: 1000, pattern: '^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$' },
      description: 'why; the log holds a commitment to it',
    },
  },
};

@Controller('v1/access-reviews')
export class AccessReviewsController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Route({
    ...{ method: 'POST', needs: 'access-reviews:decide', status: 201, body: wanted, answer: reviewSchema, errors: [409] },
    summary: 'list what everybody holds now, to be decided of one by one; one review at a time',
  })
  async open(@Req() request: Request): Promise<object> {
    const { days = REVIEW_DAYS } = parseRequest<{ days?: number }>(request.body, wanted);
    const { workspaceId, personId } = callerOf(request);
    return this.metadata.within(workspaceId, async (transaction) => {
      const id = await openReview(transaction, { openedBy: personId, nowMs: this.clock.now(), days });
      if (id === undefined) throw toError('ACCESS_REVIEW_OPEN');
      return this.view(transaction, id);
    });
  }

  @Route({
    ...{ method: 'GET', needs: 'access-reviews:read', query: pageSchema, answer: page(reviewSchema), errors: [400] },
    summary: 'reviews of access, newest first',
  })
  async list(@Req() request: Request, @Query() query: Readonly<Record<string, unknown>>): Promise<object> {
    const wantedPage = readPage(query);
    if (wantedPage.after !== undefined && !isUuid(wantedPage.after))
      throw toError('REQUEST_INVALID', { name: 'cursor', expected: '`next` of the page before' });
    return this.metadata.within(callerOf(request).workspaceId, async ({ accessReviews, people }) => {
      const rows = await accessReviews.list(wantedPage);
      const names = await people.namesOf(rows.flatMap(({ openedBy }) => openedBy ?? []));
      return toPage(
        rows.map((row) => toReview(row, names, this.clock.now())),
        wantedPage.limit,
        ({ id }) => id,
      );
    });
  }

  @Route({ method: 'GET', path: ':id', needs: 'access-reviews:read', summary: 'one of them', answer: reviewSchema, errors: [404] })
  async get(@Req() request: Request, @Param('id') id: string): Promise<object> {
    return this.metadata.within(callerOf(request).workspaceId, (transaction) => this.view(transaction, id));
  }

  @Route({
    ...{ method: 'GET', path: ':id/items', needs: 'access-reviews:read', query: pageSchema, answer: page(itemSchema), errors: [400, 404] },
    summary: 'what was held when it was opened, and what was decided of each',
  })
  async items(@Req() request: Request, @Param('id') id: string, @Query() query: Readonly<Record<string, unknown>>): Promise<object> {
    const { limit, after } = readPage(query);
    if (after !== undefined && !/^\d{1,9}$/.test(after))
      throw toError('REQUEST_INVALID', { name: 'cursor', expected: '`next` of the page before' });
    return this.metadata.within(callerOf(request).workspaceId, async (transaction) => {
      await this.view(transaction, id);
      const rows = await transaction.accessReviews.items(id, { limit, ...(after === undefined ? {} : { after: Number(after) }) });
      return toPage(await toItems(transaction, rows), limit, ({ item }) => String(item));
    });
  }

  @Route({
    ...{ method: 'POST', path: ':id/items/:item', needs: 'access-reviews:decide', body: decided, answer: itemSchema, errors: [404, 409] },
    summary: 'keep or revoke one of them, by somebody who does not hold it; what is revoked is taken away at once',
  })
  async decide(@Req() request: Request, @Param('id') id: string, @Param('item') text: string): Promise<object> {
    const caller = callerOf(request);
    return this.metadata.within(caller.workspaceId, async (transaction) => {
      const item = /^\d{1,9}$/.test(text) ? Number(text) : 0;
      const there = isUuid(id) && item > 0 && (await transaction.accessReviews.findItem(id, item));
      if (!there) throw toError('RESOURCE_UNKNOWN', { type: 'item' });
      const said = parseRequest<Pick<Deciding, 'decision' | 'reason'> & { [member: string]: string }>(request.body, decided);
      const term = { nowMs: this.clock.now(), hours: this.settings.BAUTA_APPROVAL_HOURS };
      await decideItem(transaction, caller, { review: id, item, decision: said.decision, reason: said.reason }, term);
      return (await toItems(transaction, [(await transaction.accessReviews.findItem(id, item))!]))[0]!;
    });
  }

  private async view({ accessReviews, people }: Transaction, id: string): Promise<object> {
    const row = await accessReviews.find(requireUuid(id, 'access review'));
    if (!row) throw toError('RESOURCE_UNKNOWN', { type: 'access review' });
    return toReview(row, await people.namesOf(row.openedBy === null ? [] : [row.openedBy]), this.clock.now());
  }
}

type Names = ReadonlyMap<string, string>;

function toReview(
  { openedBy, openedAt, dueAt, closedAt, overdueAt: _, ...row }: AccessReviewRow,
  names: Names,
  nowMs: number,
): { readonly id: string } {
  return {
    ...row,
    openedBy: openedBy === null ? null : (names.get(openedBy) ?? openedBy),
    ...{ openedAt: openedAt.toISOString(), dueAt: dueAt.toISOString(), closedAt: closedAt?.toISOString() ?? null },
    ...{ exception: (closedAt?.getTime() ?? nowMs) > dueAt.getTime() },
  } as { readonly id: string };
}

async function toItems({ people, log }: Transaction, rows: readonly AccessReviewItem[]): Promise<readonly { readonly item: number }[]> {
  const names = await people.namesOf(rows.flatMap(({ personId, decidedBy }) => [personId, ...(decidedBy === null ? [] : [decidedBy])]));
  const views = rows.map(({ item, decision, decidedBy, decidedAt, reason, effect, ...held }) => ({
    ...{ item, ...toHeld(held), person: names.get(held.personId) ?? held.personId },
    ...{
      decision,
      decidedBy: decidedBy === null ? null : (names.get(decidedBy) ?? decidedBy),
      decidedAt: decidedAt?.toISOString() ?? null,
    },
    ...{ reason: reason === null ? null : { committed: reason }, effect },
  }));
  return log.withTexts(views);
}
