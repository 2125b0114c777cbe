// The door of /v1/expiries: what has expired on a target is dropped, or one version that is withdrawn.
import { Controller, Inject, Param, Req, Res } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import type { Json } from '../../kernel/canonical-json.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { Metadata } from '../../systems/metadata/metadata.js';
import { type ErrandView, findErrand, requestErrand, toErrandView, viewProperties } from '../errands/errands.js';
import {
  CLOCK, type Request, type Response, Route, answerOnce, callerOf, nameSchema, parseRequest, requireRight,
} from '../http/http.js'; // prettier-ignore

const answer = viewProperties('what was dropped, with its attestation, as `bauta expire --json`');
const wanted: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['pipeline'],
  properties: {
    pipeline: nameSchema,
    dryRun: { type: 'boolean', description: 'only say what would be dropped' },
    withdraw: {
      type: 'object',
      additionalProperties: false,
      required: ['version', 'reason'],
      properties: {
        version: { type: 'integer', minimum: 1, description: 'the number of a version' },
        reason: { type: 'string', minLength: 1, maxLength: 1000, pattern: '^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$', description: 'why' },
      },
      description: 'version and reason',
    },
  },
  description: 'pipeline, withdraw and dryRun',
};

@Controller('v1/expiries')
export class ExpiriesController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Route({
    ...{ method: 'POST', needs: 'datasets:expire', status: 202, answer, body: wanted, errors: [404] },
    summary: 'drop what has expired on a pipeline’s target, or one version, and attest it; it fails while a run is at work there',
    headers: { 'Idempotency-Key': 'the same request with the same key is carried out once' },
  })
  async create(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<ErrandView> {
    const { pipeline, ...rest } = parseRequest<{ pipeline: string }>(request.body, wanted);
    const { personId: actor } = callerOf(request);
    const asked = { kind: 'expire', pipeline, requestedBy: actor, nowMs: this.clock.now(), wanted: rest as Json } as const;
    const made = await answerOnce(this.metadata, request, response, async (transaction) => {
      const row = await requestErrand(transaction, asked, (environment) => requireRight(request, 'datasets:expire', [environment]));
      const data = { expiry: row.id, pipeline, environment: row.environment };
      await transaction.audit({ type: 'expiry.requested', at: toTimestamp(this.clock.now()), actor, data });
      return toErrandView(row);
    });
    response.setHeader('Location', `/v1/expiries/${made.id}`);
    return made;
  }

  @Route({
    ...{ method: 'GET', path: ':id', needs: 'datasets:read', answer, errors: [404] },
    summary: 'an expiry that was asked for within a day',
  })
  async get(@Req() request: Request, @Param('id') id: string): Promise<ErrandView> {
    const of = { kind: 'expire', needs: 'datasets:read' } as const;
    return this.metadata.within(callerOf(request).workspaceId, (transaction) => findErrand(transaction, request, id, of));
  }
}
