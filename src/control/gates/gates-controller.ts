// The door of /v1/gates: the documents, and the question whether a deployment may go ahead.
import { Controller, Inject, Optional, Param, Query, Req, Res } from '@nestjs/common';

import type { Clock } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { Metadata } from '../../systems/metadata/metadata.js';
import { DocumentsController } from '../documents-controller.js';
import { CLOCK, type Request, type Response, Route, callerOf, parseRequest, requireName, requireRight } from '../http/http.js';
import { type Asked, askedSchema } from './asked.js';
import { GATE_DOORS, GateDoors } from './gate-doors.js';
import { takeDecision } from './take-decision.js';
import { type Answer, answerSchema } from './to-answer.js';

@Controller('v1/gates')
export class GatesController extends DocumentsController {
  protected readonly kind = 'Gate';

  constructor(
    @Inject(Metadata) protected readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Optional() @Inject(GATE_DOORS) private readonly doors?: GateDoors,
  ) {
    super();
  }

  @Route({
    ...{ method: 'POST', path: ':name/decisions', needs: 'gates:decide', body: askedSchema, answer: answerSchema, errors: [404] },
    summary: 'may this version go to that environment? 200 for a yes and for a no; an error is neither',
    query: {
      failStatus: {
        type: 'string',
        enum: ['1'],
        description: '1: a no is answered with 403 and the same body, for callers that look at the status only',
      },
    },
  })
  async decide(
    @Req() request: Request,
    @Param('name') name: string,
    @Query('failStatus') failStatus: unknown,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Answer> {
    if (failStatus !== undefined && failStatus !== '1') throw toError('REQUEST_INVALID', { name: 'failStatus', expected: '1' });
    requireName(name, this.kind);
    await this.get(request, name, undefined, response);
    const asked = parseRequest<never>(request.body, askedSchema) as Asked;
    requireRight(request, 'gates:decide', [asked.environment]);
    const { metadata, clock, doors } = this;
    if (!doors) throw toError('DEPLOYMENT_UNDECIDED', { name: 'no policy is open here' });
    response.removeHeader('ETag');
    const caller = callerOf(request);
    const answer = await takeDecision({ metadata, doors, clock }, caller, name, asked);
    doors.memory.keep(request, caller.workspaceId, name, asked, answer);
    if (!answer.allow && failStatus === '1') response.status(403);
    return answer;
  }
}
