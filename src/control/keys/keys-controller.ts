// /v1/keys. The API has no way to keys: what it lists is what the log tells of them, and what changes them is a worker's errand.
import { Controller, Inject, Param, Query, Req, Res } from '@nestjs/common';

import type { Settings } from '../../config/settings.js';
import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { type KeysView, readKeysOfLog } from '../../pipeline/key-view.js';
import { Metadata } from '../../systems/metadata/metadata.js';
import { type Pending, openApproval, pendingSchema } from '../approvals/approvals.js';
import { type ErrandView, findErrand, requestKeyChange, toErrandView, viewProperties } from '../errands/errands.js';
import {
  CLOCK, SETTINGS, type Request, type Response, Route, answerOnce, callerOf, environmentsOf, nameSchema, parseRequest, requireRight,
} from '../http/http.js'; // prettier-ignore
import { findEnvironmentsOf, requireUnneeded } from './key-environments.js';
import type { Destroying } from './keys-consequence.js';

const purposes = ['masking', 'token', 'transport'] as const;
const text = (description: string): Schema => ({
  ...{ type: 'string', minLength: 1, maxLength: 1000, pattern: '^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$', description },
});
const purpose: Schema = { type: 'string', enum: purposes, description: `one of ${purposes.join(', ')}` };
const reason = text('why; the log holds a commitment to it');
const rotation: Schema = {
  ...{ type: 'object', additionalProperties: false, required: ['environment'], description: 'environment, purpose and reason' },
  properties: { environment: nameSchema, purpose, reason },
};
const destruction: Schema = {
  ...{ type: 'object', additionalProperties: false, required: ['environment', 'upTo', 'reason'] },
  description: 'environment, purpose, upTo, reason and backups',
  properties: {
    ...{ environment: nameSchema, purpose, reason },
    upTo: { type: 'integer', minimum: 1, maximum: 999_999_999, description: 'the number of a version; never the newest' },
    backups: text('what becomes of backups of the keys, as it is to be attested'),
  },
};
const instant: Schema = { type: ['string', 'null'], format: 'date-time' };
const version: Schema = {
  type: 'object',
  required: ['version', 'state', 'madeAt', 'expiresAt', 'destroyedAt', 'check', 'usedBy'],
  properties: {
    version: { type: 'integer' },
    state: { type: 'string', enum: ['current', 'kept', 'destroyed', 'missing'] },
    ...{ madeAt: instant, expiresAt: instant, destroyedAt: instant },
    check: { type: ['string', 'null'], description: 'by which it is known again' },
    usedBy: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pipeline', 'environment', 'target', 'datasets', 'lastAt'],
        properties: {
          ...{ pipeline: { type: 'string' }, environment: { type: 'string' }, target: { type: 'string' } },
          ...{ datasets: { type: 'integer' }, lastAt: { type: 'string', format: 'date-time' } },
        },
      },
    },
  },
};
const listed: Schema = {
  type: 'object',
  required: ['keys'],
  properties: {
    keys: {
      type: 'array',
      items: {
        type: 'object',
        required: ['purpose', 'workspace', 'environment', 'versions'],
        properties: {
          ...{ purpose, workspace: { type: 'string' }, environment: { type: 'string' } },
          versions: { type: 'array', items: version },
        },
      },
    },
  },
};
const change = viewProperties('`rotated` or `destroyed` of `bauta keys --json`');
const waiting: Schema = { type: 'object', required: ['approval'], properties: { approval: pendingSchema } };
const once = { 'Idempotency-Key': 'the same request with the same key is carried out once' };

// Types, not interfaces: they are JSON.
type Wanted = { readonly environment: string; readonly purpose?: (typeof purposes)[number] };
type WantedDestruction = Wanted & { readonly upTo: number; readonly reason: string; readonly backups?: string };

@Controller('v1/keys')
export class KeysController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Route({
    ...{ method: 'GET', needs: 'keys:read', answer: listed },
    summary: 'the versions of each environment’s keys and what they made, as the log tells it; an expiry is not in it',
    query: { environment: { ...nameSchema, description: 'only of this one' } },
  })
  async list(@Req() request: Request, @Query('environment') wanted: unknown): Promise<{ keys: readonly KeysView[] }> {
    if (wanted !== undefined && typeof wanted !== 'string') throw toError('REQUEST_INVALID', { name: 'environment', expected: 'one name' });
    const { workspaceId, roles } = callerOf(request);
    const environments = environmentsOf(roles, 'keys:read');
    const keys = await this.metadata.within(workspaceId, ({ log }) =>
      readKeysOfLog({ read: (types) => log.events(types), standing: (types) => log.standing(types) }),
    );
    const mayKnow = ({ environment }: KeysView): boolean => environments === 'all' || environments.includes(environment);
    return { keys: keys.filter((one) => mayKnow(one) && (wanted ?? one.environment) === one.environment) };
  }

  @Route({
    ...{ method: 'POST', path: 'rotate', needs: 'keys:rotate', status: 202, answer: change, body: rotation, errors: [404], headers: once },
    summary: 'the next version of an environment’s keys: every pseudonym of runs from then on is another',
  })
  async rotate(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<ErrandView> {
    const asked = parseRequest<Wanted & { readonly reason?: string }>(request.body, rotation);
    const { environment, purpose: of = 'masking', reason: why = 'the next version of the keys' } = asked;
    const { personId: requestedBy } = callerOf(request);
    const nowMs = this.clock.now();
    const made = await answerOnce(this.metadata, request, response, async (transaction) => {
      requireRight(request, 'keys:rotate', await findEnvironmentsOf(transaction, environment));
      const wanted = { purpose: of, reason: why };
      const row = await requestKeyChange(transaction, { kind: 'key-rotation', environment, requestedBy, nowMs, wanted });
      const data = { 'key-rotation': row.id, environment, purpose: of };
      await transaction.audit({ type: 'key-rotation.requested', at: toTimestamp(nowMs), actor: requestedBy, data });
      return toErrandView(row);
    });
    response.setHeader('Location', `/v1/keys/changes/${made.id}`);
    return made;
  }

  @Route({
    ...{ method: 'POST', path: 'destroy', needs: 'keys:destroy', status: 202, answer: waiting, body: destruction, errors: [404, 409] },
    summary: 'destroy a version of an environment’s keys and all before it; it waits until an approver agrees',
    headers: once,
  })
  async destroy(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<{ approval: Pending }> {
    const asked = parseRequest<WantedDestruction>(request.body, destruction);
    const { environment, purpose: of = 'masking', ...rest } = asked;
    const { personId: requestedBy } = callerOf(request);
    const nowMs = this.clock.now();
    return answerOnce(this.metadata, request, response, async (transaction) => {
      const environments = await findEnvironmentsOf(transaction, environment);
      requireRight(request, 'keys:destroy', environments);
      await requireUnneeded(transaction, environment, rest.upTo, nowMs);
      const subject: Destroying = { environment, purpose: of, ...rest, environments };
      const wanted = { kind: 'keys' as const, requestedBy, authorIds: [requestedBy], environments, subject };
      const thing = { environment, purpose: of, upTo: rest.upTo, environments, requestedBy };
      const term = { nowMs, hours: this.settings.BAUTA_APPROVAL_HOURS };
      return { approval: await openApproval(transaction, { ...wanted, thing }, term) };
    });
  }

  @Route({
    ...{ method: 'GET', path: 'changes/:id', needs: 'keys:read', answer: change, errors: [404] },
    summary: 'a rotation or destruction that was asked for within a day',
  })
  async get(@Req() request: Request, @Param('id') id: string): Promise<ErrandView> {
    const of = { kind: ['key-rotation', 'key-destruction'], needs: 'keys:read' } as const;
    return this.metadata.within(callerOf(request).workspaceId, (transaction) => findErrand(transaction, request, id, of));
  }
}
