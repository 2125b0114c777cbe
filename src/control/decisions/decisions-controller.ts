// /v1/decisions: newest first; one with its record in the form of OPA's decision log; and the same question to the policy of this release again.
import { Controller, Inject, Optional, Param, Query, Req } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { type Json, toCanonicalJson } from '../../kernel/canonical-json.js';
import { BautaError, toError } from '../../kernel/errors.js';
import type { DecisionRecord } from '../../pipeline/gate/gate.js';
import { type DecisionRow, Metadata } from '../../systems/metadata/metadata.js';
import { GATE_DOORS, GateDoors, answerSchema, toResult } from '../gates/gates.js';
import { type Request, Route, callerOf, environmentsOf, isUuid, nameSchema, pageSchema, readPage, toPage } from '../http/http.js';

const text: Schema = { type: 'string' };
const head: Readonly<Record<string, Schema>> = {
  ...{
    id: { type: 'string', format: 'uuid' },
    gate: text,
    environment: text,
    service: text,
    decidedAt: { type: 'string', format: 'date-time' },
  },
  ...{ allow: { type: 'boolean' }, enforced: { type: 'boolean' }, codes: { type: 'array', items: text }, score: { type: 'number' } },
  flipped: {
    type: ['object', 'null'],
    description: 'it holds no more: since when, for which codes, and the run whose version was revoked with it',
    properties: { at: text, codes: { type: 'array', items: text }, revoked: { type: ['string', 'null'] } },
  },
};
const list: Schema = {
  type: 'object',
  required: ['items', 'next'],
  properties: {
    items: { type: 'array', items: { type: 'object', required: Object.keys(head), properties: head } },
    next: { type: ['string', 'null'] },
  },
};
const one: Schema = {
  type: 'object',
  required: [...Object.keys(head), 'answer', 'record'],
  properties: { ...head, answer: answerSchema, record: { type: 'object', description: 'as one event of OPA’s decision log' } },
};
const replayed: Schema = {
  type: 'object',
  required: ['decisionId', 'same', 'then', 'now'],
  properties: { decisionId: text, same: { type: 'boolean' }, then: { type: 'object' }, now: { type: 'object' } },
};

@Controller('v1/decisions')
export class DecisionsController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Optional() @Inject(GATE_DOORS) private readonly doors?: GateDoors,
  ) {}

  @Route({
    ...{ method: 'GET', needs: 'decisions:read', summary: 'decisions about deployments, newest first', answer: list, errors: [400] },
    query: { gate: { ...nameSchema, description: 'of this gate only' }, ...pageSchema },
  })
  async list(@Req() request: Request, @Query() query: Record<string, unknown>): Promise<object> {
    const { limit, after } = readPage(query);
    const { gate } = query;
    if (gate !== undefined && (typeof gate !== 'string' || !new RegExp(nameSchema['pattern'] as string).test(gate)))
      throw toError('REQUEST_INVALID', { name: 'gate', expected: 'the name of a gate' });
    const filter = { limit, ...(after === undefined ? {} : { after: toCursor(after) }), ...(gate === undefined ? {} : { gate }) };
    const rows = await this.metadata.within(callerOf(request).workspaceId, ({ decisions }) => decisions.list(filter));
    const page = toPage(rows, limit, ({ decidedAt, id }) => `${decidedAt.toISOString()} ${id}`);
    const mine = environmentsOf(callerOf(request).roles, 'decisions:read');
    return { ...page, items: page.items.filter(({ environment }) => mine === 'all' || mine.includes(environment)).map(toHead) };
  }

  @Route({ method: 'GET', path: ':id', needs: 'decisions:read', summary: 'a decision, with its record', answer: one, errors: [404] })
  async get(@Req() request: Request, @Param('id') id: string): Promise<object> {
    const { workspaceId } = callerOf(request);
    const row = await this.find(request, id);
    const places = await this.metadata.within(workspaceId, ({ log }) => log.places([row.key]));
    const place = places.get(row.key) ?? { origin: null, index: null };
    return { ...toHead(row), answer: { ...(row.answer as object), log: place }, record: row.record };
  }

  @Route({
    ...{ method: 'POST', path: ':id/replay', needs: 'decisions:read', answer: replayed, errors: [404, 409] },
    summary: 'the same question to the same policy, at the time and under the id of the record',
  })
  async replay(@Req() request: Request, @Param('id') id: string): Promise<object> {
    const row = await this.find(request, id);
    const record = row.record as unknown as DecisionRecord;
    const decision = await this.askAgain(record);
    const digests = {
      policy: decision.policy.digest,
      ...Object.fromEntries((decision.others ?? []).map(({ name, digest }) => [name, digest])),
    };
    for (const name of new Set([...Object.keys(digests), ...(record.labels['user_digest'] === undefined ? [] : ['user'])]))
      if (record.labels[`${name}_digest`] !== digests[name as 'policy'])
        throw toError('DECISION_POLICY_DIFFERS', { name: name === 'policy' ? 'bauta' : name });
    const now = toResult(decision);
    return { decisionId: id, same: toCanonicalJson(now) === toCanonicalJson(record.result), then: record.result, now };
  }

  private async askAgain(record: DecisionRecord): Promise<Awaited<ReturnType<Awaited<ReturnType<GateDoors['getPolicy']>>['decide']>>> {
    if (!this.doors) throw toError('DEPLOYMENT_UNDECIDED', { name: 'no policy is open here' });
    try {
      return await (await this.doors.getPolicy()).decide(record.input, record.decision_id);
    } catch (error) {
      throw toError('DEPLOYMENT_UNDECIDED', { name: error instanceof BautaError ? error.code : 'the policy failed' });
    }
  }

  /** One of an environment that the caller may not look at is not there. */
  private async find(request: Request, id: string): Promise<DecisionRow> {
    const { workspaceId, roles } = callerOf(request);
    const row = isUuid(id) ? await this.metadata.within(workspaceId, ({ decisions }) => decisions.find(id)) : undefined;
    const mine = environmentsOf(roles, 'decisions:read');
    if (!row || (mine !== 'all' && !mine.includes(row.environment))) throw toError('RESOURCE_UNKNOWN', { type: 'decision' });
    return row;
  }
}

function toHead({ id, gate, environment, service, decidedAt, allow, enforced, answer, flip }: DecisionRow): object {
  const { reasons, score } = answer as { readonly reasons: readonly { readonly code: string }[]; readonly score: Json };
  const codes = [...new Set(reasons.map(({ code }) => code))];
  return { id, gate, environment, service, decidedAt: decidedAt.toISOString(), allow, enforced, codes, score, flipped: flip };
}

function toCursor(text: string): { readonly at: Date; readonly id: string } {
  const [at = '', id = ''] = text.split(' ');
  const date = new Date(at);
  if (Number.isNaN(date.getTime()) || !isUuid(id))
    throw toError('REQUEST_INVALID', { name: 'cursor', expected: '`next` of the page before' });
  return { at: date, id };
}
