// /v1/runs: ask for one, see how it goes, end it.
import { Controller, Inject, Param, Query, Req, Res } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { type Clock } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { Metadata, type RunRow, type Transaction, isEnded, runStates } from '../../systems/metadata/metadata.js';
import {
  CLOCK, type Request, type Response, Route, answerOnce, callerOf, environmentsOf, nameSchema, pageSchema, parseRequest, readPage, requireRight, toPage,
} from '../http/http.js'; // prettier-ignore
import { streamRun } from './stream-run.js';
import { findEnvironment, requestRun } from './request-run.js';

const wanted: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['pipeline'],
  properties: { pipeline: nameSchema },
  description: 'pipeline',
};
const instant: Schema = { type: ['string', 'null'], format: 'date-time' };
const state: Schema = { type: 'string', enum: runStates, description: `one of ${runStates.join(', ')}` };
const properties: Readonly<Record<string, Schema>> = {
  ...{ id: { type: 'string' }, pipeline: { type: 'string' }, environment: { type: 'string' }, state, attempt: { type: 'integer' } },
  documents: {
    type: 'array',
    items: { type: 'object', properties: { kind: { type: 'string' }, name: { type: 'string' }, version: { type: 'integer' } } },
  },
  cause: {
    type: ['object', 'null'],
    description: 'the document that asked for it; null: a person did',
    properties: { kind: { type: 'string' }, name: { type: 'string' }, version: { type: 'integer' } },
  },
  ...{ dueAt: instant, createdAt: { type: 'string', format: 'date-time' }, startedAt: instant, endedAt: instant },
  ...{ cancelRequested: { type: 'boolean' }, movedRows: { type: 'integer' } },
  summary: { type: ['object', 'null'], description: 'what `bauta run --json` gives, once it has ended' },
};
const answer: Schema = { type: 'object', required: Object.keys(properties), properties };

@Controller('v1/runs')
export class RunsController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Route({
    ...{ method: 'POST', needs: 'runs:create', summary: 'ask for a run of a pipeline', status: 201, answer, body: wanted, errors: [404] },
    headers: { 'Idempotency-Key': 'the same request with the same key is carried out once' },
  })
  async create(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<object> {
    const { pipeline } = parseRequest<{ pipeline: string }>(request.body, wanted);
    const made = await answerOnce(this.metadata, request, response, async (transaction) => {
      requireRight(request, 'runs:create', [await findEnvironment(transaction, pipeline)]);
      const id = await requestRun(transaction, { pipeline, requestedBy: callerOf(request).personId, nowMs: this.clock.now() });
      const run = id === undefined ? undefined : await transaction.runs.find(id);
      if (!run) throw toError('RESOURCE_UNKNOWN', { type: 'run' });
      return toView(run);
    });
    response.setHeader('Location', `/v1/runs/${made.id}`);
    return made;
  }

  @Route({
    ...{ method: 'GET', needs: 'runs:read', summary: 'runs, newest first', errors: [400] },
    query: { ...pageSchema, pipeline: nameSchema, state },
    answer: {
      type: 'object',
      required: ['items', 'next'],
      properties: { items: { type: 'array', items: answer }, next: { type: ['string', 'null'] } },
    },
  })
  async list(@Req() request: Request, @Query() query: Record<string, unknown>): Promise<object> {
    const { limit, after } = readPage(query);
    const environments = environmentsOf(callerOf(request).roles, 'runs:read');
    const filter = {
      ...(environments === 'all' ? {} : { environments }),
      ...readFilter(query, 'pipeline', nameSchema['pattern'] as string),
      ...readFilter(query, 'state', `^(${runStates.join('|')})$`),
    };
    const runs = await this.metadata.within(callerOf(request).workspaceId, (transaction) => transaction.runs.list(limit, filter, after));
    return toPage(runs.map(toView), limit, ({ id }) => id);
  }

  @Route({ method: 'GET', path: ':id', needs: 'runs:read', summary: 'one run', answer, errors: [404] })
  async get(@Req() request: Request, @Param('id') id: string): Promise<object> {
    return toView(await this.metadata.within(callerOf(request).workspaceId, (transaction) => findRun(transaction, request, id)));
  }

  @Route({
    ...{
      method: 'GET',
      path: ':id/events',
      needs: 'runs:read',
      summary: 'how a run goes, as server-sent events until it has ended',
      errors: [404],
    },
    ...{ answer: { type: 'string' }, answerType: 'text/event-stream' },
    headers: { 'Last-Event-ID': 'only what came after it' },
  })
  async events(@Req() request: Request, @Param('id') id: string, @Res() response: Response): Promise<void> {
    const { workspaceId } = callerOf(request);
    await this.metadata.within(workspaceId, (transaction) => findRun(transaction, request, id));
    await streamRun(this.metadata, workspaceId, id, request, response);
  }

  @Route({
    method: 'POST',
    path: ':id/cancel',
    needs: 'runs:cancel',
    summary: 'end a run; nothing is published, nothing is left',
    status: 202,
    answer,
    errors: [404, 409],
  })
  async cancel(@Req() request: Request, @Param('id') id: string): Promise<object> {
    const { workspaceId, personId } = callerOf(request);
    return this.metadata.within(workspaceId, async (transaction) => {
      requireRight(request, 'runs:cancel', [(await findRun(transaction, request, id)).environment]);
      // Approvals before their run, as everywhere: two that lock both do not wait for each other.
      const approvals = await transaction.approvals.lockOpen({ runId: id });
      const run = await transaction.runs.lock(id);
      if (isEnded(run.state) || run.state === 'publishing') throw toError('RUN_ENDED', { name: run.state });
      for (const approval of approvals) await transaction.approvals.transition(approval, 'void', { actor: personId });
      if (run.state === 'queued' || run.state === 'awaiting-approval')
        return toView(await transaction.runs.transition(id, { to: 'cancelled', actor: personId }));
      await transaction.runs.requestCancel(id);
      await transaction.audit({
        ...{ type: 'run.cancel-requested', at: new Date(this.clock.now()).toISOString(), actor: personId },
        data: { run: id },
      });
      return toView(await findRun(transaction, request, id));
    });
  }
}

/** A run of an environment that the caller may not look at is not there. */
async function findRun(transaction: Transaction, request: Request, id: string): Promise<RunRow> {
  const run = /^[0-9a-z]{16}$/.test(id) ? await transaction.runs.find(id) : undefined;
  const environments = environmentsOf(callerOf(request).roles, 'runs:read');
  if (!run || (environments !== 'all' && !environments.includes(run.environment))) throw toError('RESOURCE_UNKNOWN', { type: 'run' });
  return run;
}

function readFilter(query: Record<string, unknown>, name: string, pattern: string): Record<string, string> {
  const value = query[name];
  if (value === undefined) return {};
  if (typeof value !== 'string' || !new RegExp(pattern).test(value))
    throw toError('REQUEST_INVALID', { name, expected: 'a value that /openapi lists' });
  return { [name]: value };
}

function toView(run: RunRow): { readonly id: string; readonly [member: string]: unknown } {
  const { id, pipeline, environment, state, attempt, documents, summary } = run;
  const at = (date: Date | null): string | null => date?.toISOString() ?? null;
  return {
    ...{ id, pipeline, environment, state, attempt, documents, cause: run.cause },
    ...{ dueAt: at(run.dueAt), createdAt: at(run.createdAt), startedAt: at(run.startedAt), endedAt: at(run.endedAt) },
    ...{ cancelRequested: run.cancelRequestedAt !== null, movedRows: Number(run.movedRows), summary },
  };
}
