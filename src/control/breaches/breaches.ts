// The door of /v1/breaches: a named person says that he is aware of a breach in an environment. From the entry on the 72 hours of Art. 33(1) GDPR run;
// when something was detected stands beside it. What is known of the breach is `bauta report breach`.
import { Controller, Inject, Req } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { Metadata } from '../../systems/metadata/metadata.js';
import { CLOCK, type Request, Route, callerOf, nameSchema, parseRequest, requireRight } from '../http/http.js';

const instant: Schema = {
  ...{ type: 'string', pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?(Z|[+-]\\d{2}:\\d{2})$' },
  description: 'an instant as RFC 3339, as in 2026-11-22T07:30:00Z',
};
const incident: Schema = { type: ['string', 'null'], pattern: '^[0-9A-Za-z-]{1,64}$', description: 'id of an incident, or null' };
const body: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['environment', 'detectedAt'],
  properties: { environment: nameSchema, detectedAt: instant, incident },
  description: 'environment, detectedAt and incident',
};
const answer: Schema = {
  type: 'object',
  required: ['at', 'environment', 'detectedAt', 'incident'],
  properties: {
    at: { type: 'string', format: 'date-time', description: 'when it was recorded: the 72 hours run from here' },
    ...{ environment: { type: 'string' }, detectedAt: { type: 'string', format: 'date-time' }, incident: { type: ['string', 'null'] } },
  },
};

// Types, not interfaces: they are JSON.
type Said = { readonly environment: string; readonly detectedAt: string; readonly incident?: string | null };
type Aware = { readonly at: string; readonly environment: string; readonly detectedAt: string; readonly incident: string | null };

@Controller('v1/breaches')
export class BreachesController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Route({
    ...{ method: 'POST', needs: 'breaches:tell', status: 201, body, answer, errors: [404] },
    summary: 'say that you are aware of a breach in an environment, and when it was detected; the clock of Art. 33 GDPR runs from then',
  })
  async tell(@Req() request: Request): Promise<Aware> {
    const { environment, detectedAt: given, incident: of = null } = parseRequest<Said>(request.body, body);
    requireRight(request, 'breaches:tell', [environment]);
    const now = this.clock.now();
    const detected = Date.parse(given);
    if (Number.isNaN(detected)) throw toError('REQUEST_INVALID', { name: 'detectedAt', expected: 'an instant' });
    if (detected > now) throw toError('BREACH_DETECTED_LATER', { expected: toTimestamp(now) });
    const { personId: actor, workspaceId } = callerOf(request);
    const data = { environment, detectedAt: toTimestamp(detected), incident: of };
    await this.metadata.within(workspaceId, async (transaction) => {
      if ((await transaction.environments.list(1, [environment])).length === 0) throw toError('RESOURCE_UNKNOWN', { type: 'environment' });
      await transaction.audit({ type: 'breach.aware', at: toTimestamp(now), actor, data });
    });
    return { at: toTimestamp(now), ...data };
  }
}
