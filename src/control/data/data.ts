// POST /v1/data/gates/GATE: the gate as any client of OPA asks it. What OPA calls undefined has no `result`: such a client takes it for a no.
import { Controller, Inject, Optional, Param, Req } from '@nestjs/common';

import { type Schema, fitsSchema } from '../../documents/documents.js';
import type { Clock } from '../../kernel/clock.js';
import type { Json } from '../../kernel/canonical-json.js';
import { BautaError, toError } from '../../kernel/errors.js';
import { Metadata } from '../../systems/metadata/metadata.js';
import { type Asked, GATE_DOORS, GateDoors, askedSchema, takeDecision } from '../gates/gates.js';
import { CLOCK, type Request, Route, callerOf, nameSchema, parseRequest, requireRight } from '../http/http.js';

const body: Schema = {
  type: 'object',
  description: 'input: what POST /v1/gates/{gate}/decisions takes',
  properties: { input: { description: 'what POST /v1/gates/{gate}/decisions takes' } },
};
const answer: Schema = {
  type: 'object',
  properties: {
    result: { description: 'the answer of the gate, or the member of it that the path names; absent: undefined' },
    decision_id: { type: 'string', format: 'uuid' },
  },
};

@Controller('v1/data')
export class DataController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Optional() @Inject(GATE_DOORS) private readonly doors?: GateDoors,
  ) {}

  @Route({
    ...{ method: 'POST', path: '*path', needs: 'gates:decide', body, answer },
    summary: 'a gate as OPA’s data API: gates/{gate} is its answer, gates/{gate}/allow the yes or no of it',
  })
  async ask(@Req() request: Request, @Param('path') path: string | string[]): Promise<object> {
    const { input } = parseRequest<{ readonly input?: Json }>(request.body, body);
    const [root, name = '', ...members] = typeof path === 'string' ? path.split('/') : path;
    if (root !== 'gates' || !new RegExp(nameSchema['pattern'] as string).test(name)) return {};
    if (input === undefined || !fitsSchema(askedSchema, input)) return {};
    const asked = input as unknown as Asked;
    requireRight(request, 'gates:decide', [asked.environment]);
    const { metadata, clock, doors } = this;
    if (!doors) throw toError('DEPLOYMENT_UNDECIDED', { name: 'no policy is open here' });
    try {
      const decided = await takeDecision({ metadata, doors, clock }, callerOf(request), name, asked);
      const result = members.reduce<unknown>(memberOf, decided);
      return { ...(result === undefined ? {} : { result }), decision_id: decided.decisionId };
    } catch (error) {
      if (error instanceof BautaError && error.code === 'RESOURCE_UNKNOWN') return {};
      throw error;
    }
  }
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
