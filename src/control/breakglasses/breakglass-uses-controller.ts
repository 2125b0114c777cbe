// /v1/breakglasses/uses: a break-glass is used here, or it was used where this service could not be reached and is handed in. The same use is one use,
// however often it is said; of two uses one is the first, on however many replicas.
import { Controller, Inject, Req } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { type BreakglassScope, findMisfit, openBreakglass } from '../../pipeline/breakglass.js';
import { Metadata, type Transaction } from '../../systems/metadata/metadata.js';
import { CLOCK, type Request, Route, callerOf, nameSchema, parseRequest, requireRight } from '../http/http.js';
import { commitSchema } from './breakglasses-controller.js';

const id: Schema = { type: 'string', pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$', description: 'a UUID in small letters' };
const body: Schema = {
  type: 'object',
  description: 'gate, environment, service, commit, note, use and usedOfflineAt',
  additionalProperties: false,
  required: ['gate', 'environment', 'service', 'commit', 'note', 'use'],
  properties: {
    ...{ gate: nameSchema, environment: nameSchema, service: nameSchema, commit: commitSchema },
    note: { type: 'string', maxLength: 8192, description: 'the signed note' },
    use: { ...id, description: 'of this use, chosen by who uses it: said again it is the same' },
    usedOfflineAt: {
      type: 'string',
      pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$',
      description: 'it was used then, where the service could not be reached; an instant as RFC 3339 with milliseconds in UTC',
    },
  },
};
const answer: Schema = {
  type: 'object',
  required: ['breakglass', 'use', 'first', 'expiresAt'],
  properties: {
    ...{ breakglass: id, use: id },
    first: { type: 'boolean', description: 'false: it was used before, where nobody could know of it' },
    expiresAt: { type: 'string', format: 'date-time' },
  },
};

type Use = BreakglassScope & { readonly note: string; readonly use: string; readonly usedOfflineAt?: string };

interface Used {
  readonly breakglass: string;
  readonly use: string;
  readonly first: boolean;
  readonly expiresAt: string;
}

@Controller('v1/breakglasses')
export class BreakglassUsesController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Route({
    ...{ method: 'POST', path: 'uses', needs: 'gates:decide', body, answer, errors: [404, 409] },
    summary: 'go past the gate by a break-glass, once; or say that it was done where this service could not be reached',
  })
  async use(@Req() request: Request): Promise<Used> {
    const said = parseRequest<never>(request.body, body) as Use;
    requireRight(request, 'gates:decide', [said.environment]);
    const { workspaceId, personId } = callerOf(request);
    return this.metadata.within(workspaceId, (transaction) => this.keep(transaction, said, personId));
  }

  private async keep(transaction: Transaction, said: Use, personId: string): Promise<Used> {
    const { use: useId, usedOfflineAt } = said;
    const offline = usedOfflineAt !== undefined;
    const usedAtMs = offline ? Date.parse(usedOfflineAt) : this.clock.now();
    if (Number.isNaN(usedAtMs)) throw toError('REQUEST_INVALID', { name: 'usedOfflineAt', expected: 'an instant' });
    const verifier = await transaction.log.verifier();
    const { breakglass } = openBreakglass(said.note, verifier ? [verifier] : []);
    if (!breakglass) throw toError('BREAKGLASS_REFUSED', { name: 'the log of this workspace did not sign it' });
    const row = await transaction.breakglasses.lock(breakglass.id);
    if (!row) throw toError('BREAKGLASS_REFUSED', { name: 'this workspace issued none such' });
    const told = { breakglass: row.id, use: useId, expiresAt: row.expiresAt.toISOString() };
    const known = await transaction.breakglasses.findUse(row.id, useId);
    if (known) return { ...told, first: known.first };
    const misfit = findMisfit(breakglass, said, usedAtMs);
    // What was done offline cannot be refused any more: it is kept with what does not fit.
    if (misfit !== undefined && !offline) throw toError('BREAKGLASS_REFUSED', { name: misfit });
    const first = !row.uses.some((one) => one.first);
    if (!first && !offline) throw toError('BREAKGLASS_USED');
    await transaction.breakglasses.use(row.id, { useId, first, offline, usedAt: new Date(usedAtMs), receivedBy: personId });
    const { gate, environment, service, commit } = said;
    const [type, at] = [first ? 'breakglass.used' : 'breakglass.used-again', toTimestamp(this.clock.now())];
    const data = { ...{ breakglass: row.id, use: useId, gate, environment, service, commit, offline }, usedAt: toTimestamp(usedAtMs) };
    const unfit = { ...data, misfit: misfit ?? null };
    await transaction.audit({ type, at, actor: personId, data: unfit });
    const note = { breakglass: row.id, gate, environment, service, ...(first ? {} : { code: 'BREAKGLASS_USED' }) };
    await transaction.notifications.note({ type, at, data: note });
    return { ...told, first };
  }
}
