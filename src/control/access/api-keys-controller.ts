// /v1/apikeys: 256 random bits each, shown once. What is stored is an HMAC that cannot be used.
import { Controller, Inject, Param, Query, Req, Res } from '@nestjs/common';

import type { Settings } from '../../config/settings.js';
import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { digestBytes, digestJson } from '../../kernel/digest.js';
import { toError } from '../../kernel/errors.js';
import { Metadata, type Transaction } from '../../systems/metadata/metadata.js';
import { type Pending, objectionTo, openApproval, pendingSchema } from '../approvals/approvals.js';
import { isErasedName, requireThere } from './erase-person.js';
import { makePerson } from './make-person.js';
import {
  CLOCK, type Caller, type Request, type Response, Route, SERVER_KEY, SETTINGS, callerOf, firstTokenOf, nameSchema, newSecret, pageSchema, parseRequest, isUuid, readPage, requireUuid, toPage, toSecretDigest,
} from '../http/http.js'; // prettier-ignore

interface Wanted {
  readonly person: string;
  readonly name: string;
  readonly expiresInDays?: number;
  readonly [member: string]: string | number | undefined;
}

interface Issued {
  readonly id: string;
  readonly person: string;
  readonly name: string;
  readonly expiresAt: string;
  readonly token: string;
}

const wantedSchema: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['person', 'name'],
  properties: {
    person: nameSchema,
    name: nameSchema,
    expiresInDays: { type: 'integer', minimum: 1, maximum: 365, description: 'days from 1 to 365; 90 when left out' },
  },
  description: 'person, name and expiresInDays',
};
const instant: Schema = { type: 'string', format: 'date-time' };
const view: Schema = {
  type: 'object',
  required: ['id', 'person', 'name', 'createdAt', 'expiresAt', 'revokedAt'],
  properties: {
    ...{ id: { type: 'string', format: 'uuid' }, person: { type: 'string' }, name: { type: 'string' } },
    ...{ createdAt: instant, expiresAt: instant, revokedAt: { type: ['string', 'null'], format: 'date-time' } },
  },
};
const waits: Schema = { type: 'object', required: ['approval'], properties: { approval: pendingSchema } };
const issued: Schema = {
  type: 'object',
  required: ['id', 'person', 'name', 'expiresAt', 'token'],
  properties: {
    ...{ id: { type: 'string', format: 'uuid' }, person: { type: 'string' }, name: { type: 'string' }, expiresAt: instant },
    token: { type: 'string', description: 'shown this once' },
  },
};

@Controller('v1/apikeys')
export class ApiKeysController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(SERVER_KEY) private readonly serverKey: Uint8Array,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Route({
    ...{ method: 'GET', needs: 'apikeys:read', summary: 'API keys, never their secrets', query: pageSchema, errors: [400] },
    answer: {
      type: 'object',
      required: ['items', 'next'],
      properties: { items: { type: 'array', items: view }, next: { type: ['string', 'null'] } },
    },
  })
  async list(@Req() request: Request, @Query() query: Record<string, unknown>): Promise<object> {
    const { limit, after } = readPage(query, isUuid);
    const tokens = await this.metadata.within(callerOf(request).workspaceId, (transaction) => transaction.people.listTokens(limit, after));
    return toPage(tokens, limit, ({ id }) => id);
  }

  @Route({
    ...{ method: 'POST', needs: 'apikeys:write', status: 201, answer: issued, waits, body: wantedSchema, errors: [404, 409] },
    summary:
      'an API key for a person; with the one-time token: the first administrator and his key; with two administrators the same request again, once the other agreed',
  })
  async create(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<Issued | { readonly approval: Pending }> {
    const wanted = parseRequest<Wanted>(request.body, wantedSchema);
    const first = firstTokenOf(request);
    if (!first) {
      const caller = callerOf(request);
      const { workspaceId, personId } = caller;
      return this.metadata.within(workspaceId, async (transaction) => {
        const person = await transaction.people.find(wanted.person);
        if (!person) throw toError('RESOURCE_UNKNOWN', { type: 'person' });
        requireThere(person);
        const approval = await this.askAnother(transaction, caller, person.id, wanted);
        if (approval) {
          response.status(202);
          return { approval };
        }
        return this.issue(transaction, person.id, wanted, personId);
      });
    }
    return this.metadata.within(first.workspaceId, async (transaction) => {
      if (!(await transaction.people.useFirstToken(first.digest))) throw toError('TOKEN_INVALID');
      if (isErasedName(wanted.person) || (await transaction.people.find(wanted.person)))
        throw toError('NAME_TAKEN', { name: wanted.person });
      const nowMs = this.clock.now();
      const [personId, roles] = [await makePerson(transaction, wanted.person, { nowMs }), ['administrator']];
      await transaction.people.setRoles(personId, roles, null);
      await transaction.audit({ type: 'roles.granted', at: toTimestamp(nowMs), actor: personId, data: { person: personId, roles } });
      return this.issue(transaction, personId, wanted, personId);
    });
  }

  @Route({ method: 'DELETE', path: ':id', needs: 'apikeys:write', summary: 'an API key works no more', status: 204, errors: [404] })
  async revoke(@Req() request: Request, @Param('id') id: string): Promise<void> {
    requireUuid(id, 'token');
    const { workspaceId, personId } = callerOf(request);
    await this.metadata.within(workspaceId, async (transaction) => {
      const now = this.clock.now();
      if (!(await transaction.people.revokeToken(id, new Date(now)))) throw toError('RESOURCE_UNKNOWN', { type: 'token' });
      await transaction.audit({ type: 'apikey.revoked', at: toTimestamp(now), actor: personId, data: { token: id } });
    });
  }

  /**
   * With a token one is that person: with two administrators none gets one for somebody else alone. Undefined: it may be issued now, by an
   * approval that is used up with it where it takes one.
   */
  private async askAnother(transaction: Transaction, caller: Caller, personId: string, wanted: Wanted): Promise<Pending | undefined> {
    const { people, approvals } = transaction;
    await people.lock();
    if ((await people.ownersOf([personId])).has(caller.ownerId) || (await people.countOfRole('administrator')) < 2) return undefined;
    const { name, expiresInDays = 90 } = wanted;
    const thing = { token: name, personId, expiresInDays, requestedBy: caller.personId };
    const nowMs = this.clock.now();
    for (const approval of await approvals.lockOpen({ kind: 'token', digest: digestJson(thing) })) {
      if (approval.state !== 'approved' || approval.decidedBy === null) continue;
      const objection = await objectionTo(transaction, approval, approval.decidedBy, nowMs);
      await approvals.transition(approval, objection ? 'void' : 'used', { actor: caller.personId });
      if (!objection) return undefined;
    }
    const subject = { person: wanted.person, name, expiresInDays };
    return openApproval(
      transaction,
      { kind: 'token', subject, environments: [], requestedBy: caller.personId, authorIds: [], thing },
      { nowMs, hours: this.settings.BAUTA_APPROVAL_HOURS },
    );
  }

  private async issue(transaction: Transaction, personId: string, wanted: Wanted, actor: string): Promise<Issued> {
    const [secret, now] = [newSecret('token'), this.clock.now()];
    const expiresAt = new Date(now + (wanted.expiresInDays ?? 90) * 86_400_000);
    const digest = toSecretDigest(secret, this.serverKey);
    const id = await transaction.people.insertToken(personId, wanted.name, digest, expiresAt);
    // Of 256 random bits: nobody finds the key by its digest, or has a use for it.
    const data = { token: id, person: personId, expiresAt: expiresAt.toISOString(), tokenDigest: digestBytes(digest) };
    await transaction.audit({ type: 'apikey.issued', at: toTimestamp(now), actor, data });
    return { id, person: wanted.person, name: wanted.name, expiresAt: expiresAt.toISOString(), token: secret };
  }
}
