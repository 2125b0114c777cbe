// /v1/workspaces: tenants that know nothing of each other. Those of the first one, `default`, make others; nobody else learns that there are any.
import { Controller, Inject, Query, Req } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { Metadata } from '../../systems/metadata/metadata.js';
import {
  CLOCK, type Request, Route, SERVER_KEY, callerOf, nameSchema, newSecret, pageSchema, parseRequest, readPage, toPage, toSecretDigest,
} from '../http/http.js'; // prettier-ignore
import { FIRST_TOKEN_MS } from './first-token.js';

const wanted: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: { name: nameSchema },
  description: 'name',
};
const instant: Schema = { type: 'string', format: 'date-time' };
const view: Schema = {
  type: 'object',
  required: ['id', 'name', 'createdAt'],
  properties: { id: { type: 'string', format: 'uuid' }, name: { type: 'string' }, createdAt: instant },
};
const made: Schema = {
  type: 'object',
  required: ['id', 'name', 'firstToken', 'expiresAt'],
  properties: {
    ...{ id: { type: 'string', format: 'uuid' }, name: { type: 'string' }, expiresAt: instant },
    firstToken: { type: 'string', description: 'makes its first administrator, once; shown this once' },
  },
};

@Controller('v1/workspaces')
export class WorkspacesController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(SERVER_KEY) private readonly serverKey: Uint8Array,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Route({
    ...{ method: 'GET', needs: 'workspaces:read', summary: 'one’s own; in the workspace default: all', query: pageSchema, errors: [400] },
    answer: {
      type: 'object',
      required: ['items', 'next'],
      properties: { items: { type: 'array', items: view }, next: { type: ['string', 'null'] } },
    },
  })
  async list(@Req() request: Request, @Query() query: Record<string, unknown>): Promise<object> {
    const { limit, after } = readPage(query);
    const found = await this.metadata.within(callerOf(request).workspaceId, ({ workspaces }) => workspaces.list(limit, after));
    return toPage(found, limit, ({ name }) => name);
  }

  @Route({
    ...{ method: 'POST', needs: 'workspaces:write', status: 201, answer: made, body: wanted, errors: [409] },
    summary: 'a new workspace, and the one-time token of its first administrator; once more while it has none',
  })
  async create(@Req() request: Request): Promise<object> {
    const { name } = parseRequest<{ name: string }>(request.body, wanted);
    const { workspaceId, personId } = callerOf(request);
    const [secret, now] = [newSecret('first'), this.clock.now()];
    const expiresAt = new Date(now + FIRST_TOKEN_MS);
    return this.metadata.within(workspaceId, async (transaction) => {
      if (!(await transaction.workspaces.isDefault()))
        throw toError('ACCESS_DENIED', { name: 'workspaces:write', expected: 'administrator of the workspace default' });
      const id = await transaction.workspaces.create(name, toSecretDigest(secret, this.serverKey), expiresAt);
      if (id === undefined) throw toError('NAME_TAKEN', { name });
      await transaction.audit({ type: 'workspace.made', at: toTimestamp(now), actor: personId, data: { workspace: id, name } });
      return { id, name, firstToken: secret, expiresAt: expiresAt.toISOString() };
    });
  }
}
