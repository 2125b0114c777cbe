// The door of /v1/plans: what will happen to every column of an applied pipeline, why, and what the gate says. Moves no row.
import { Controller, Inject, Param, Req, Res } from '@nestjs/common';

import type { Clock } from '../../kernel/clock.js';
import { Metadata } from '../../systems/metadata/metadata.js';
import { type ErrandView, findErrand, requestErrand, toErrandView, viewProperties, wantedSchema } from '../errands/errands.js';
import { CLOCK, type Request, type Response, Route, answerOnce, callerOf, parseRequest, requireRight } from '../http/http.js';

const answer = viewProperties('what `bauta plan --json` gives, once it has ended');

@Controller('v1/plans')
export class PlansController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Route({
    ...{ method: 'POST', needs: 'plans:create', status: 202, answer, body: wantedSchema, errors: [404] },
    summary: 'ask for the plan of a pipeline as source and target are now; a worker makes it, and no row moves',
    headers: { 'Idempotency-Key': 'the same request with the same key is carried out once' },
  })
  async create(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<ErrandView> {
    const { pipeline } = parseRequest<{ pipeline: string }>(request.body, wantedSchema);
    const asked = { kind: 'plan', pipeline, requestedBy: callerOf(request).personId, nowMs: this.clock.now() } as const;
    const made = await answerOnce(this.metadata, request, response, async (transaction) =>
      toErrandView(await requestErrand(transaction, asked, (environment) => requireRight(request, 'plans:create', [environment]))),
    );
    response.setHeader('Location', `/v1/plans/${made.id}`);
    return made;
  }

  @Route({ method: 'GET', path: ':id', needs: 'plans:read', summary: 'a plan that was asked for within a day', answer, errors: [404] })
  async get(@Req() request: Request, @Param('id') id: string): Promise<ErrandView> {
    const of = { kind: 'plan', needs: 'plans:read' } as const;
    return this.metadata.within(callerOf(request).workspaceId, (transaction) => findErrand(transaction, request, id, of));
  }
}
