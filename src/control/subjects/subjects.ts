// The door of /v1/subjects: a person is erased from the copies of a pipeline. Who it is stays in the memory of the request, and of the worker that it is
// sealed for: not in a log, queue, error, decision record or outbox. An Idempotency-Key is not taken: what it would keep is a digest of the request.
import { Controller, Inject, Param, Req, Res } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { Metadata } from '../../systems/metadata/metadata.js';
import {
  type ErrandView, type HandedErasure, type WantedErasure, findErrand, handOver, requestErrand, toErrandView, viewProperties,
} from '../errands/errands.js'; // prettier-ignore
import { CLOCK, type Request, type Response, Route, callerOf, nameSchema, parseRequest, requireRight } from '../http/http.js';

const answer = viewProperties(
  'erasure (the id that the log knows it by), traced (per version and clone, per column, how many rows had a pseudonym of the person), dropped, left, shredded, run, others and beyond (what could not be reached)',
);
const identifier: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['table', 'column', 'value'],
  properties: {
    table: { type: 'string', maxLength: 200, description: 'schema and table, as documents have them' },
    column: { type: 'string', maxLength: 100, description: 'a column whose pseudonyms follow from the value alone' },
    value: { type: 'string', maxLength: 1000, description: 'as the source shows it as text' },
  },
  description: 'what one person is called in one column',
};
const reached = viewProperties(
  'traced (per version and clone, per column, how many rows have a pseudonym of the person; null: nobody could look, and why), target, lookedAt, others and beyond',
);
const reachBody: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['pipeline', 'subject'],
  properties: {
    pipeline: { ...nameSchema, description: 'whose copies' },
    subject: { type: 'array', minItems: 1, maxItems: 50, items: identifier, description: 'one person' },
  },
  description: 'pipeline and subject',
};
const body: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['pipeline', 'reason'],
  properties: {
    pipeline: { ...nameSchema, description: 'whose copies' },
    reason: {
      ...{ type: 'string', minLength: 1, maxLength: 1000, pattern: '^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$' },
      description: 'why, and never who: the log holds a commitment to it',
    },
    how: {
      enum: ['drop', 'refresh'],
      default: 'drop',
      description: 'drop: the current version goes once somebody has made another; refresh: a run for it is asked for at once',
    },
    subject: { type: 'array', maxItems: 50, items: identifier, description: 'one person; without it nobody is looked for' },
  },
  description: 'pipeline, reason, how and subject',
};

interface Wanted extends WantedErasure {
  readonly pipeline: string;
}

@Controller('v1/subjects')
export class SubjectsController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Route({
    ...{ method: 'POST', path: 'erase', needs: 'subjects:erase', status: 202, answer, body, errors: [404, 503] },
    summary: 'a person who is gone at the source is looked for in the copies of a pipeline; what may hold them is dropped, with a receipt',
  })
  async create(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<ErrandView> {
    const {
      reason,
      subject = [],
      ...wanted
    } = parseRequest<never>(request.body, body) as Omit<HandedErasure, 'subject'> &
      Partial<Pick<HandedErasure, 'subject'>> &
      Partial<Wanted> &
      Pick<Wanted, 'pipeline'>;
    const { pipeline, how = 'drop' } = wanted;
    const { personId: actor, workspaceId } = callerOf(request);
    const nowMs = this.clock.now();
    const made = await this.metadata.within(workspaceId, async (transaction) => {
      const row = await requestErrand(
        transaction,
        { kind: 'erase', pipeline, requestedBy: actor, nowMs, wanted: { how } },
        (environment) => {
          requireRight(request, 'subjects:erase', [environment]);
          if (how === 'refresh') requireRight(request, 'runs:create', [environment]);
        },
      );
      const data = { 'subject-erasure': row.id, pipeline, environment: row.environment, how, identifiers: subject.length };
      await transaction.audit({ type: 'subject-erasure.requested', at: toTimestamp(nowMs), actor, data });
      return toErrandView(row);
    });
    const handed: HandedErasure = { reason, subject };
    await handOver(this.metadata, workspaceId, made.id, JSON.stringify(handed));
    response.setHeader('Location', `/v1/subjects/erase/${made.id}`);
    return made;
  }

  @Route({
    ...{ method: 'GET', path: 'erase/:id', needs: 'subjects:erase', answer, errors: [404] },
    summary: 'an erasure that was asked for within a day; its receipt is in the log for good',
  })
  async get(@Req() request: Request, @Param('id') id: string): Promise<ErrandView> {
    const of = { kind: 'erase', needs: 'subjects:erase' } as const;
    return this.metadata.within(callerOf(request).workspaceId, (transaction) => findErrand(transaction, request, id, of));
  }

  @Route({
    ...{ method: 'POST', path: 'reach', needs: 'subjects:reach', status: 202, answer: reached, body: reachBody, errors: [404, 503] },
    summary:
      'a person is looked for in the copies of a pipeline, and nothing is changed; the log knows that somebody looked, and not for whom',
  })
  async look(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<ErrandView> {
    const { pipeline, subject } = parseRequest<never>(request.body, reachBody) as { pipeline: string } & Pick<HandedErasure, 'subject'>;
    const { personId: requestedBy, workspaceId } = callerOf(request);
    const nowMs = this.clock.now();
    const made = await this.metadata.within(workspaceId, async (transaction) =>
      toErrandView(
        await requestErrand(transaction, { kind: 'reach', pipeline, requestedBy, nowMs }, (environment) =>
          requireRight(request, 'subjects:reach', [environment]),
        ),
      ),
    );
    await handOver(this.metadata, workspaceId, made.id, JSON.stringify(subject));
    response.setHeader('Location', `/v1/subjects/reach/${made.id}`);
    return made;
  }

  @Route({
    ...{ method: 'GET', path: 'reach/:id', needs: 'subjects:reach', answer: reached, errors: [404] },
    summary: 'a look for a person that was asked for within a day, in counts',
  })
  async reached(@Req() request: Request, @Param('id') id: string): Promise<ErrandView> {
    const of = { kind: 'reach', needs: 'subjects:reach' } as const;
    return this.metadata.within(callerOf(request).workspaceId, (transaction) => findErrand(transaction, request, id, of));
  }
}
