// The door of /v1/rollbacks: the previous version of a target becomes current again.
import { Controller, Inject, Param, Req, Res } from '@nestjs/common';

import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { Metadata } from '../../systems/metadata/metadata.js';
import { type ErrandView, findErrand, requestErrand, toErrandView, viewProperties, wantedSchema } from '../errands/errands.js';
import { CLOCK, type Request, type Response, Route, answerOnce, callerOf, parseRequest, requireRight } from '../http/http.js';

const answer = viewProperties('the version that is current again, as `dataset` of `bauta rollback --json`');

@Controller('v1/rollbacks')
export class RollbacksController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Route({
    ...{ method: 'POST', needs: 'datasets:roll-back', status: 202, answer, body: wantedSchema, errors: [404] },
    summary: 'make the previous version of a pipeline’s target current again; it fails while a run is at work there',
    headers: { 'Idempotency-Key': 'the same request with the same key is carried out once' },
  })
  async create(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<ErrandView> {
    const { pipeline } = parseRequest<{ pipeline: string }>(request.body, wantedSchema);
    const { personId: actor } = callerOf(request);
    const asked = { kind: 'rollback', pipeline, requestedBy: actor, nowMs: this.clock.now() } as const;
    const made = await answerOnce(this.metadata, request, response, async (transaction) => {
      const row = await requestErrand(transaction, asked, (environment) => requireRight(request, 'datasets:roll-back', [environment]));
      const data = { rollback: row.id, pipeline, environment: row.environment };
      await transaction.audit({ type: 'rollback.requested', at: toTimestamp(this.clock.now()), actor, data });
      return toErrandView(row);
    });
    response.setHeader('Location', `/v1/rollbacks/${made.id}`);
    return made;
  }

  @Route({
    ...{ method: 'GET', path: ':id', needs: 'datasets:read', answer, errors: [404] },
    summary: 'a roll-back that was asked for within a day',
  })
  async get(@Req() request: Request, @Param('id') id: string): Promise<ErrandView> {
    const of = { kind: 'rollback', needs: 'datasets:read' } as const;
    return this.metadata.within(callerOf(request).workspaceId, (transaction) => findErrand(transaction, request, id, of));
  }
}
