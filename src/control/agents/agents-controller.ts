// /v1/agents: who may load what goes to an environment through a broker. The API has no way to a broker: a worker speaks to agents, and what is told
// here is what it heard. Who invites makes the token himself and sends its public half: nobody here ever has the secret.
import { Controller, Inject, Param, Query, Req, Res } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { type AgentRow, Metadata, type Transaction } from '../../systems/metadata/metadata.js';
import { type ErrandView, findErrand, requestErrand, toErrandView, viewProperties } from '../errands/errands.js';
import {
  CLOCK, type Permission, type Request, type Response, Route, answerOnce, callerOf, environmentsOf, nameSchema, pageSchema, parseRequest, readPage,
  requireName, requireRight, toPage,
} from '../http/http.js'; // prettier-ignore
import { findStream } from './find-stream.js';

const text: Schema = { type: 'string' };
const count: Schema = { type: 'number', minimum: 0 };
const instant: Schema = { type: ['string', 'null'], format: 'date-time' };
const properties: Readonly<Record<string, Schema>> = {
  ...{ environment: text, agentId: text },
  publicKey: { ...text, description: 'with which it signs, in hex' },
  recipient: { ...text, description: 'to which versions are sealed' },
  place: { type: 'object', required: ['database', 'systemIdentifier'], properties: { database: text, systemIdentifier: text } },
  state: { ...text, description: 'of its last receipt that is of a run; silent: there was none' },
  ...{ runId: { type: ['string', 'null'] }, lastSeenAt: { ...instant, description: 'by its own clock' } },
  progress: {
    type: ['object', 'null'],
    properties: { rows: count, bytes: count, lag: count, bytesPerSecond: count, secondsLeft: { type: ['number', 'null'] } },
  },
  refused: {
    type: 'array',
    description: 'what it did not act on: somebody else writes to the topics',
    items: { type: 'object', required: ['topic', 'problem', 'amount'], properties: { topic: text, problem: text, amount: count } },
  },
  ...{ enrolledAt: { type: 'string', format: 'date-time' }, revokedAt: instant },
  heardAt: { ...instant, description: 'when a worker listened last' },
};
const view: Schema = { type: 'object', required: Object.keys(properties), properties };
const toList = (items: Schema): Schema => ({
  ...{ type: 'object', required: ['items', 'next'] },
  properties: { items: { type: 'array', items }, next: { type: ['string', 'null'] } },
});
const invite: Schema = {
  type: 'object',
  required: ['tokenId', 'expiresAt'],
  properties: { tokenId: text, expiresAt: { type: 'string', format: 'date-time' } },
};
const invited: Schema = {
  ...{ type: 'object', additionalProperties: false, required: ['environment', 'tokenId', 'publicKey'] },
  description: 'environment, tokenId, publicKey and minutes',
  properties: {
    environment: nameSchema,
    tokenId: { type: 'string', pattern: '^[0-9a-f]{16}$', description: '8 bytes in hexadecimal' },
    publicKey: {
      type: 'string',
      pattern: '^[0-9a-f]{64}$',
      description: '32 bytes in hexadecimal: of the Ed25519 key whose seed is the token’s secret',
    },
    minutes: { type: 'integer', minimum: 15, maximum: 10_080, description: '15 to 10080; an hour when left out' },
  },
};
const change = viewProperties('`workspace`, `environment`, `prefix` and `serviceKey`, as a token has them');
const once = { 'Idempotency-Key': 'the same request with the same key is carried out once' };

// Types, not interfaces: they are JSON.
type Invited = { readonly environment: string; readonly tokenId: string; readonly publicKey: string; readonly minutes?: number };

@Controller('v1/agents')
export class AgentsController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Route({
    ...{ method: 'GET', needs: 'agents:read', answer: toList(view), errors: [400, 404] },
    summary: 'the agents that were ever enrolled, and where each stands by what it said last',
    query: { ...pageSchema, environment: { ...nameSchema, description: 'only of this one' } },
  })
  async list(@Req() request: Request, @Query() query: Record<string, unknown>): Promise<object> {
    const { limit, after } = readPage(query);
    const environments = readEnvironments(request, query['environment']);
    const [, environment = '', agentId = ''] = /^(.*)\/([0-9a-z]{16})$/s.exec(after ?? '') ?? [];
    const page = { environments, ...(after !== undefined && { after: [environment, agentId] as const }) };
    const found = await this.metadata.within(callerOf(request).workspaceId, ({ agents }) => agents.list(limit, page));
    return toPage(found.map(toView), limit, (one) => `${one.environment}/${one.agentId}`);
  }

  @Route({
    ...{ method: 'GET', path: 'invites', needs: 'agents:read', answer: toList(invite), errors: [400, 404] },
    summary: 'tokens of an environment that nobody has used and whose time is not over',
    query: { environment: { ...nameSchema, description: 'of which; it MUST be given' } },
  })
  async invites(@Req() request: Request, @Query('environment') wanted: unknown): Promise<object> {
    if (typeof wanted !== 'string') throw toError('REQUEST_INVALID', { name: 'environment', expected: 'one name' });
    const environment = requireName(wanted, 'environment');
    requireRight(request, 'agents:read', [environment]);
    const open = await this.metadata.within(callerOf(request).workspaceId, ({ agents }) => agents.invites(environment, true));
    return { items: open.map(({ tokenId, expiresAt }) => ({ tokenId, expiresAt: toTimestamp(expiresAt.getTime()) })), next: null };
  }

  @Route({
    ...{ method: 'POST', path: 'invites', needs: 'agents:invite', status: 202, answer: change, body: invited, errors: [404, 409] },
    summary: 'one agent may come in by a token that the caller made; the answer has what the token says beside its secret',
    headers: once,
  })
  async invite(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<ErrandView> {
    const { environment, tokenId, publicKey, minutes = 60 } = parseRequest<Invited>(request.body, invited);
    const expiresAt = new Date(this.clock.now() + minutes * 60_000);
    return this.change(request, response, { environment, needs: 'agents:invite' }, async (transaction, actor) => {
      const isNew = await transaction.agents.invite(environment, { tokenId, publicKey, expiresAt, invitedBy: actor });
      if (!isNew) throw toError('REQUEST_INVALID', { name: 'tokenId', expected: 'another one: that was used' });
      const data = { environment, token: tokenId, expiresAt: toTimestamp(expiresAt.getTime()) };
      await transaction.audit({ type: 'agent.invited', at: toTimestamp(this.clock.now()), actor, data });
    });
  }

  @Route({
    ...{ method: 'DELETE', path: ':name/:id', needs: 'agents:revoke', status: 202, answer: change, errors: [404] },
    summary: 'an agent of an environment is let go: nothing is sealed to it from now on, and it is told',
  })
  async revoke(
    @Req() request: Request,
    @Param('name') name: string,
    @Param('id') agent: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ErrandView> {
    const environment = requireName(name, 'environment');
    return this.change(request, response, { environment, needs: 'agents:revoke' }, async (transaction, actor) => {
      const known = (await transaction.agents.of(environment)).some(({ agentId }) => agentId === agent);
      if (!known) throw toError('RESOURCE_UNKNOWN', { type: 'agent' });
      if (!(await transaction.agents.revoke(environment, agent, actor))) return;
      await transaction.audit({ type: 'agent.revoked', at: toTimestamp(this.clock.now()), actor, data: { environment, agent } });
    });
  }

  @Route({
    ...{ method: 'GET', path: 'changes/:id', needs: 'agents:read', answer: change, errors: [404] },
    summary: 'an invitation or a revocation that was asked for within a day',
  })
  async get(@Req() request: Request, @Param('id') id: string): Promise<ErrandView> {
    const of = { kind: 'agents', needs: 'agents:read' } as const;
    return this.metadata.within(callerOf(request).workspaceId, (transaction) => findErrand(transaction, request, id, of));
  }

  /** What is changed here holds from here on; a worker is asked to tell it. */
  private async change(
    request: Request,
    response: Response,
    { environment, needs }: { readonly environment: string; readonly needs: Permission },
    work: (transaction: Transaction, actor: string) => Promise<void>,
  ): Promise<ErrandView> {
    requireRight(request, needs, [environment]);
    const { personId: requestedBy } = callerOf(request);
    const nowMs = this.clock.now();
    const made = await answerOnce(this.metadata, request, response, async (transaction) => {
      const pipeline = await findStream(transaction, environment);
      await transaction.agents.ask(environment, pipeline, requestedBy, new Date(nowMs));
      await work(transaction, requestedBy);
      const asked = { kind: 'agents', pipeline, requestedBy, nowMs } as const;
      return toErrandView(await requestErrand(transaction, asked, () => undefined));
    });
    response.setHeader('Location', `/v1/agents/changes/${made.id}`);
    return made;
  }
}

/** Undefined: everywhere. */
function readEnvironments(request: Request, wanted: unknown): readonly string[] | undefined {
  const mine = environmentsOf(callerOf(request).roles, 'agents:read');
  if (wanted === undefined) return mine === 'all' ? undefined : mine;
  if (typeof wanted !== 'string') throw toError('REQUEST_INVALID', { name: 'environment', expected: 'one name' });
  const environment = requireName(wanted, 'environment');
  return mine === 'all' || mine.includes(environment) ? [environment] : [];
}

function toView(row: AgentRow): { readonly environment: string; readonly agentId: string; readonly [member: string]: unknown } {
  const { environment, agentId, publicKey, recipient, database, systemIdentifier, standing } = row;
  const { state, runId, lastSeenAt, progress, refused } = standing as Readonly<Record<string, unknown>>;
  const at = (date: Date | null): string | null => (date === null ? null : toTimestamp(date.getTime()));
  return {
    ...{ environment, agentId, publicKey, recipient, place: { database, systemIdentifier } },
    ...{ state, runId, lastSeenAt, progress, refused },
    ...{ enrolledAt: at(row.enrolledAt), revokedAt: at(row.revokedAt), heardAt: at(row.heardAt) },
  };
}
