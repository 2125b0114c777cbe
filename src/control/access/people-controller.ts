// /v1/people: who may do what in this workspace.
import { Controller, Inject, Param, Query, Req, Res } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { Metadata, type PersonView, type Transaction } from '../../systems/metadata/metadata.js';
import {
  CLOCK, type Caller, type Request, type Response, type Role, Route, answerOnce, callerOf, nameSchema, pageSchema, parseRequest, readPage, requireName, roles, toPage,
} from '../http/http.js'; // prettier-ignore
import { requireCompatible } from './grants.js';

const rolesSchema: Schema = {
  type: 'array',
  uniqueItems: true,
  description: 'a list of roles',
  items: { type: 'string', enum: roles, description: `one of ${roles.join(', ')}` },
};
const personSchema: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'roles'],
  properties: { name: nameSchema, roles: rolesSchema },
  description: 'name and roles',
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
  required: ['id', 'name', 'roles', 'createdAt'],
  properties: {
    id: { type: 'string', format: 'uuid' },
    name: { type: 'string' },
    roles: rolesSchema,
    createdAt: { type: 'string', format: 'date-time' },
  },
};
const list: Schema = {
  type: 'object',
  required: ['items', 'next'],
  properties: { items: { type: 'array', items: answer }, next: { type: ['string', 'null'] } },
};

@Controller('v1/people')
export class PeopleController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
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
    ...{
      method: 'POST',
      needs: 'people:write',
      summary: 'a new person and what he may do',
      status: 201,
      answer,
      body: personSchema,
      errors: [409],
    },
    headers: { 'Idempotency-Key': 'the same request with the same key is carried out once' },
  })
  async create(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<PersonView> {
    const wanted = parseRequest<{ name: string; roles: Role[] }>(request.body, personSchema);
    return answerOnce(this.metadata, request, response, async (transaction) => {
      await requireGrantable(transaction, wanted.roles);
      if (await transaction.people.find(wanted.name)) throw toError('NAME_TAKEN', { name: wanted.name });
      const personId = await transaction.people.insert(wanted.name);
      return this.grant(transaction, callerOf(request), personId, wanted.name, wanted.roles);
    });
  }

  @Route({
    method: 'PUT',
    path: ':name/roles',
    needs: 'people:write',
    summary: 'what a person may do from now on',
    answer,
    body: grantSchema,
    errors: [404, 409],
  })
  async setRoles(@Req() request: Request, @Param('name') name: string): Promise<PersonView> {
    const wanted = parseRequest<{ roles: Role[] }>(request.body, grantSchema);
    const caller = callerOf(request);
    return this.metadata.within(caller.workspaceId, async (transaction) => {
      const person = await findPerson(transaction, name);
      if (person.id === caller.personId) throw toError('GRANT_TO_ONESELF');
      await requireGrantable(transaction, wanted.roles);
      return this.grant(transaction, caller, person.id, name, wanted.roles);
    });
  }

  private async grant(
    transaction: Transaction,
    caller: Caller,
    personId: string,
    name: string,
    wanted: readonly Role[],
  ): Promise<PersonView> {
    await transaction.people.setRoles(personId, wanted, caller.personId);
    await transaction.audit({
      type: 'roles.granted',
      at: toTimestamp(this.clock.now()),
      actor: caller.personId,
      data: { person: personId, roles: [...wanted] },
    });
    return findPerson(transaction, name);
  }
}

async function findPerson(transaction: Transaction, name: string): Promise<PersonView> {
  const person = await transaction.people.find(requireName(name, 'person'));
  if (!person) throw toError('RESOURCE_UNKNOWN', { type: 'person' });
  return person;
}

async function requireGrantable(transaction: Transaction, wanted: readonly Role[]): Promise<void> {
  requireCompatible(wanted);
  if (wanted.includes('administrator') && (await transaction.people.countOfRole('administrator')) > 0) throw toError('ADMINISTRATOR_ALONE');
}
