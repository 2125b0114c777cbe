// /v1/environments/NAME/clones: a database of one's own, copied from the published version. A worker makes it; who asked for it redeems a link.
import { Controller, Inject, Param, Query, Req, Res } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { newRunId } from '../../kernel/ids.js';
import { type CloneRow, Metadata, type Transaction } from '../../systems/metadata/metadata.js';
import { requestErrand } from '../errands/errands.js';
import {
  CLOCK, type Permission, type Request, type Response, Route, SERVER_KEY, SETTINGS, answerOnce, callerOf, nameSchema, pageSchema, parseRequest,
  readPage, requireName, requireRight, toPage, toSecretDigest,
} from '../http/http.js'; // prettier-ignore
import { makeLink } from '../links/links.js';
import type { Settings } from '../../config/settings.js';
import { findPlace, giveBack, requireEnvironment } from './ask-for-clone.js';

const text: Schema = { type: 'string' };
const instant: Schema = { type: ['string', 'null'], format: 'date-time' };
const properties: Readonly<Record<string, Schema>> = {
  ...{ id: text, environment: text, pipeline: text, for: { ...text, description: 'one clone of an environment at a time' } },
  state: { type: 'string', enum: ['making', 'ready', 'dropping', 'dropped', 'failed'] },
  version: { type: ['integer', 'null'], description: 'of what it is a copy' },
  database: { type: ['string', 'null'], description: 'its database, and the only role that reaches it' },
  error: { type: ['object', 'null'], description: 'why it could not be made, or not anew; as every error, with its code' },
  ...{ createdAt: { type: 'string', format: 'date-time' }, expiresAt: instant, handedOutAt: instant, endedAt: instant },
};
const view: Schema = { type: 'object', required: Object.keys(properties), properties };
const made: Schema = {
  type: 'object',
  required: [...Object.keys(properties), 'link'],
  properties: {
    ...properties,
    link: {
      type: ['string', 'null'],
      description: 'POST what stands behind # to what stands before it, as `secret`; shown once, so null for a repeated Idempotency-Key',
    },
  },
};
const list: Schema = {
  type: 'object',
  required: ['items', 'next'],
  properties: { items: { type: 'array', items: view }, next: { type: ['string', 'null'] } },
};
const wanted: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['for'],
  properties: {
    for: {
      type: 'string',
      pattern: '^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$',
      description: 'up to 63 letters, digits, dots, dashes and slashes',
    },
    hours: { type: 'integer', minimum: 1, maximum: 2160, description: 'how long; as long as the document allows when left out' },
    pipeline: { ...nameSchema, description: 'whose target, where several have one of this name' },
  },
  description: 'for, hours and pipeline',
};

interface Wanted {
  readonly for: string;
  readonly hours?: number;
  readonly pipeline?: string;
}

@Controller('v1/environments')
export class ClonesController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SERVER_KEY) private readonly serverKey: Uint8Array,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Route({
    ...{ method: 'POST', path: ':name/clones', needs: 'clones:create', status: 202, answer: made, body: wanted, errors: [404, 409] },
    summary: 'a clone of the published version; who asks again for the same gets the same, with a new password and a new link',
    headers: { 'Idempotency-Key': 'the same request with the same key is carried out once' },
  })
  async create(@Req() request: Request, @Param('name') name: string, @Res({ passthrough: true }) response: Response): Promise<object> {
    const environment = await this.permit(request, 'clones:create', name);
    const asked = parseRequest<Wanted & Record<string, never>>(request.body, wanted);
    const { secret, key } = makeLink();
    let link: string | null = null;
    const answer = await answerOnce(this.metadata, request, response, async (transaction) => {
      const id = await this.ask(transaction, request, environment, asked, { secret, key });
      link = `/v1/links/${id}#${secret}`;
      return { ...toView((await transaction.clones.find(id))!), link: null };
    });
    response.setHeader('Location', `/v1/environments/${environment}/clones/${answer.id}`);
    response.setHeader('Cache-Control', 'no-store');
    // Not what is kept for a repeated key.
    return { ...answer, link };
  }

  @Route({
    ...{ method: 'GET', path: ':name/clones', needs: 'clones:read', answer: list, query: pageSchema, errors: [400, 404] },
    summary: 'the clones that there are, and those that ended within a day',
  })
  async all(@Req() request: Request, @Param('name') name: string, @Query() query: Record<string, unknown>): Promise<object> {
    const environment = await this.permit(request, 'clones:read', name);
    const { limit, after } = readPage(query);
    const found = await this.metadata.within(callerOf(request).workspaceId, ({ clones }) => clones.list(environment, limit, after));
    return toPage(found.map(toView), limit, ({ id }) => id);
  }

  @Route({ method: 'GET', path: ':name/clones/:id', needs: 'clones:read', summary: 'a clone', answer: view, errors: [404] })
  async get(@Req() request: Request, @Param('name') name: string, @Param('id') id: string): Promise<object> {
    const environment = await this.permit(request, 'clones:read', name);
    return this.metadata.within(callerOf(request).workspaceId, async (transaction) => toView(await getClone(transaction, environment, id)));
  }

  @Route({
    ...{ method: 'DELETE', path: ':name/clones/:id', needs: 'clones:drop', status: 202, answer: view, errors: [404] },
    summary: 'a clone is dropped, with its role; one that is being made as soon as it has been',
  })
  async drop(@Req() request: Request, @Param('name') name: string, @Param('id') id: string): Promise<object> {
    const environment = await this.permit(request, 'clones:drop', name);
    const { workspaceId, personId: actor } = callerOf(request);
    return this.metadata.within(workspaceId, async (transaction) => {
      const row = await getClone(transaction, environment, id, 'FOR UPDATE');
      if (row.state === 'making' || row.state === 'ready')
        await giveBack(transaction, row, { nowMs: this.clock.now(), why: 'asked', actor });
      return toView((await transaction.clones.find(id))!);
    });
  }

  /** The id of the clone that a worker was asked for. */
  private async ask(
    transaction: Transaction,
    request: Request,
    environment: string,
    asked: Wanted,
    { secret, key }: { readonly secret: string; readonly key: Uint8Array },
  ): Promise<string> {
    const { personId: requestedBy } = callerOf(request);
    const nowMs = this.clock.now();
    const { pipeline, clones } = await findPlace(transaction, environment, asked.pipeline);
    const { hours = clones.hours } = asked;
    if (hours > clones.hours) throw toError('CLONE_TOO_LONG', { amount: `${clones.hours} hours` });
    const known = await transaction.clones.findFor(environment, asked.for);
    if (known && known.state !== 'ready') throw toError('CLONE_UNDER_WAY', { name: asked.for });
    const id = known?.id ?? newRunId(nowMs);
    const inserted =
      known !== undefined || (await transaction.clones.insert({ id, environment, pipeline, purpose: asked.for, hours, requestedBy }));
    if (!inserted) throw toError('CLONE_UNDER_WAY', { name: asked.for });
    const expiresAt = new Date(nowMs + this.settings.BAUTA_LINK_MINUTES * 60_000);
    await transaction.clones.ask(id, { hours, requestedBy }, { mac: toSecretDigest(secret, this.serverKey), key, expiresAt });
    await requestErrand(transaction, { kind: 'clone', pipeline, requestedBy, nowMs, clone: id }, () => undefined);
    const data = { clone: id, environment, for: asked.for, hours };
    await transaction.audit({ type: 'clone.requested', at: toTimestamp(nowMs), actor: requestedBy, data });
    return id;
  }

  /** Throws RESOURCE_UNKNOWN, ACCESS_DENIED. */
  private async permit(request: Request, permission: Permission, name: string): Promise<string> {
    const environment = requireName(name, 'environment');
    requireRight(request, permission, [environment]);
    await this.metadata.within(callerOf(request).workspaceId, (transaction) => requireEnvironment(transaction, environment));
    return environment;
  }
}

async function getClone({ clones }: Transaction, environment: string, id: string, lock: '' | 'FOR UPDATE' = ''): Promise<CloneRow> {
  const row = /^[0-9a-z]{16}$/.test(id) ? await clones.find(id, lock) : undefined;
  if (row?.environment !== environment) throw toError('RESOURCE_UNKNOWN', { type: 'clone' });
  return row;
}

function toView(row: CloneRow): { readonly id: string; readonly [member: string]: unknown } {
  const { id, environment, pipeline, purpose, state, version, database, error } = row;
  const at = (date: Date | null): string | null => (date === null ? null : toTimestamp(date.getTime()));
  return {
    ...{ id, environment, pipeline, for: purpose, state, version, database, error },
    ...{ createdAt: at(row.createdAt), expiresAt: at(row.expiresAt), handedOutAt: at(row.redeemedAt), endedAt: at(row.endedAt) },
  };
}
