// /v1/people: who may do what in this workspace. A service account is one of them that a person answers for.
import { Controller, Inject, Param, Query, Req, Res } from '@nestjs/common';

import type { Settings } from '../../config/settings.js';
import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { Metadata, type PersonView, type Transaction } from '../../systems/metadata/metadata.js';
import { type Pending, pendingSchema } from '../approvals/approvals.js';
import {
  CLOCK, type Caller, type Request, type Response, Route, SETTINGS, answerOnce, callerOf, nameSchema, pageSchema, parseRequest, readPage, requireName, toPage,
} from '../http/http.js'; // prettier-ignore
import { isErasedName, requireThere } from './erase-person.js';
import { askForRoles } from './grant-consequences.js';
import { grantPattern, requireGrantable, takesAnother } from './grants.js';
import { makePerson } from './make-person.js';

const rolesSchema: Schema = {
  type: 'array',
  uniqueItems: true,
  maxItems: 200,
  description: 'a list of roles',
  items: {
    type: 'string',
    pattern: grantPattern,
    description: 'a role; viewer, requester, approver, operator and detokeniser also as ROLE@ENVIRONMENT',
  },
};
const personSchema: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'roles'],
  properties: { name: nameSchema, roles: rolesSchema, owner: nameSchema },
  description: 'name, roles, and of a service account its owner',
};
const grantSchema: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['roles'],
  properties: { roles: rolesSchema },
  description: 'roles',
};
const answer: Schema = {
  type: 'object',
  required: ['id', 'name', 'roles', 'owner', 'createdAt', 'erasedAt'],
  properties: {
    id: { type: 'string', format: 'uuid' },
    name: { type: 'string' },
    roles: rolesSchema,
    owner: { type: ['string', 'null'], description: 'the person who answers for a service account' },
    createdAt: { type: 'string', format: 'date-time' },
    erasedAt: {
      type: ['string', 'null'],
      format: 'date-time',
      description: 'erased then: the name is made of the id, and there are no roles',
    },
  },
};
const waits: Schema = {
  ...answer,
  required: [...(answer['required'] as string[]), 'approval'],
  properties: { ...(answer['properties'] as object), approval: pendingSchema },
};
const list: Schema = {
  type: 'object',
  required: ['items', 'next'],
  properties: { items: { type: 'array', items: answer }, next: { type: ['string', 'null'] } },
};

type Granted = PersonView & { readonly approval?: Pending };

@Controller('v1/people')
export class PeopleController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Route({
    method: 'GET',
    needs: 'people:read',
    summary: 'the people of this workspace, by name',
    answer: list,
    query: pageSchema,
    errors: [400],
  })
  async list(@Req() request: Request, @Query() query: Record<string, unknown>): Promise<object> {
    const { limit, after } = readPage(query);
    const people = await this.metadata.within(callerOf(request).workspaceId, (transaction) => transaction.people.list(limit, after));
    return toPage(people, limit, ({ name }) => name);
  }

  @Route({ method: 'GET', path: ':name', needs: 'people:read', summary: 'one person', answer, errors: [404] })
  async get(@Req() request: Request, @Param('name') name: string): Promise<PersonView> {
    return this.metadata.within(callerOf(request).workspaceId, (transaction) => findPerson(transaction, name));
  }

  @Route({
    ...{ method: 'POST', needs: 'people:write', status: 201, answer, waits, body: personSchema, errors: [409] },
    summary: 'a new person and what he may do; with two administrators he may once the other agrees',
    headers: { 'Idempotency-Key': 'the same request with the same key is carried out once' },
  })
  async create(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<Granted> {
    const wanted = parseRequest<{ name: string; roles: string[]; owner: string }>(request.body, personSchema);
    return answerOnce(this.metadata, request, response, async (transaction) => {
      await transaction.people.lock();
      const owner = wanted.owner === undefined ? undefined : await findOwner(transaction, wanted.owner);
      // The names of the erased are their own.
      if (isErasedName(wanted.name) || (await transaction.people.find(wanted.name))) throw toError('NAME_TAKEN', { name: wanted.name });
      const { personId: actor } = callerOf(request);
      await makePerson(transaction, wanted.name, { ownerId: owner?.id, actor, nowMs: this.clock.now() });
      return this.grant(transaction, callerOf(request), wanted.name, wanted.roles, response);
    });
  }

  @Route({
    ...{ method: 'PUT', path: ':name/roles', needs: 'people:write', answer, waits, body: grantSchema, errors: [404, 409] },
    summary: 'what a person may do from now on; with two administrators what he gains waits for the other',
  })
  async setRoles(@Req() request: Request, @Param('name') name: string, @Res({ passthrough: true }) response: Response): Promise<Granted> {
    const { roles } = parseRequest<{ roles: string[] }>(request.body, grantSchema);
    return this.metadata.within(callerOf(request).workspaceId, async (transaction) => {
      await transaction.people.lock();
      return this.grant(transaction, callerOf(request), name, roles, response);
    });
  }

  /** At once, or when another administrator agrees. MUST be given a transaction that has the lock of grants. */
  private async grant(
    transaction: Transaction,
    caller: Caller,
    name: string,
    roles: readonly string[],
    response: Response,
  ): Promise<Granted> {
    const { people } = transaction;
    const person = await findPerson(transaction, name);
    requireThere(person);
    const [ownerId = person.id] = await people.ownersOf([person.id]);
    const isOwn = ownerId === caller.ownerId;
    if (isOwn && (roles.length > 0 || person.roles.length > 0)) throw toError('GRANT_TO_ONESELF');
    await requireGrantable(transaction, person.id, ownerId, roles);
    if (await takesAnother(transaction, person.roles, roles)) {
      const term = { nowMs: this.clock.now(), hours: this.settings.BAUTA_APPROVAL_HOURS };
      response.status(202);
      return { ...person, approval: await askForRoles(transaction, caller, { person, roles }, term) };
    }
    await people.setRoles(person.id, roles, caller.personId);
    const at = toTimestamp(this.clock.now());
    await transaction.audit({ type: 'roles.granted', at, actor: caller.personId, data: { person: person.id, roles: [...roles] } });
    return findPerson(transaction, name);
  }
}

async function findPerson(transaction: Transaction, name: string): Promise<PersonView> {
  const person = await transaction.people.find(requireName(name, 'person'));
  if (!person) throw toError('RESOURCE_UNKNOWN', { type: 'person' });
  return person;
}

async function findOwner(transaction: Transaction, name: string): Promise<PersonView> {
  const owner = await transaction.people.find(name);
  if (!owner || owner.owner !== null || owner.erasedAt !== null) throw toError('OWNER_INVALID', { name });
  return owner;
}
