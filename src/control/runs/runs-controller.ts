// /v1/runs: ask for one, see how it goes, end it.
import { Controller, Inject, Param, Query, Req, Res } from '@nestjs/common';

import { type Schema, checkResultSchema, privacySchema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { Metadata, type RunRow, type Transaction, isEnded, runStates } from '../../systems/metadata/metadata.js';
import {
  CLOCK, type Request, type Response, Route, answerOnce, callerOf, environmentsOf, nameSchema, pageSchema, parseRequest, readPage, requireRight, toPage, traceOf,
} from '../http/http.js'; // prettier-ignore
import { cancelRun } from './cancel-run.js';
import { enqueue, findEnvironment, requestAgain, requestRun } from './request-run.js';
import { streamRun } from './stream-run.js';
import { toStages } from './to-stages.js';

const wanted: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['pipeline'],
  properties: {
    pipeline: nameSchema,
    priority: {
      type: 'integer',
      minimum: 0,
      maximum: 9,
      description: 'a number from 0 to 9, the greater first; each five minutes of waiting count as one more',
    },
    deadlineAt: {
      type: 'string',
      pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,6})?(Z|[+-]\\d\\d:\\d\\d)$',
      description: 'an instant with its zone (RFC 3339), after which it is late',
    },
    reuse: {
      type: 'boolean',
      description:
        'take the version that is there, if it is what the run would make: same plan, same key, a source that has not changed since; the run then ends as reused',
    },
  },
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
  ...{ cancelRequested: { type: 'boolean' }, pauseRequested: { type: 'boolean' }, movedRows: { type: 'integer' } },
  ...{ priority: { type: 'integer' }, tags: { type: 'array', items: { type: 'string' } } },
  ...{ deadlineAt: instant, lateAt: instant, rerunOf: { type: ['string', 'null'] }, reuse: { type: 'boolean' } },
  summary: { type: ['object', 'null'], description: 'what `bauta run --json` gives, once it has ended' },
};
const answer: Schema = { type: 'object', required: Object.keys(properties), properties };
const count: Schema = { type: ['integer', 'null'] };
const stageProperties: Readonly<Record<string, Schema>> = {
  stage: { type: 'string', enum: runStates },
  ...{ attempt: { type: 'integer' }, worker: { type: ['string', 'null'] } },
  ...{ startedAt: { type: 'string', format: 'date-time' }, endedAt: instant, seconds: { type: ['number', 'null'] } },
  ...{ rows: { ...count, description: 'what it moved, for the stage that moves' }, bytes: count },
  lines: {
    type: 'array',
    items: { type: 'object', required: ['at', 'text'], properties: { at: { type: 'string' }, text: { type: 'string' } } },
  },
};
const detailed: Readonly<Record<string, Schema>> = {
  ...properties,
  stages: {
    type: 'array',
    description: 'one entry for each stage of each attempt',
    items: { type: 'object', required: Object.keys(stageProperties), properties: stageProperties },
  },
  checks: {
    type: 'array',
    items: checkResultSchema,
    description: 'what each check of the pipeline counted; empty until it has ended, or where it did not come to that',
  },
  privacy: {
    anyOf: [privacySchema, { type: 'null' }],
    description: "what was measured of the copy's privacy; null: nothing was, and nothing is known",
  },
  linesLeftOut: { type: 'integer', description: 'lines older than the newest thousand' },
};
const detailedAnswer: Schema = { type: 'object', required: Object.keys(detailed), properties: detailed };

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
    type Wanted = { pipeline: string; priority?: number; deadlineAt?: string; reuse?: boolean };
    const { pipeline, priority, deadlineAt, reuse = false } = parseRequest<Wanted>(request.body, wanted);
    const deadline = deadlineAt === undefined ? undefined : parseInstant(deadlineAt);
    const made = await answerOnce(this.metadata, request, response, async (transaction) => {
      requireRight(request, 'runs:create', [await findEnvironment(transaction, pipeline)]);
      const id = await requestRun(transaction, {
        ...{ pipeline, reuse, requestedBy: callerOf(request).personId, nowMs: this.clock.now(), traceparent: traceOf(request) },
        ...(priority === undefined ? {} : { priority }),
        ...(deadline === undefined ? {} : { deadlineAt: deadline }),
      });
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
    const runs = await this.metadata.within(callerOf(request).workspaceId, async (transaction) =>
      withSummaries(transaction, await transaction.runs.list(limit, filter, after)),
    );
    return toPage(runs.map(toView), limit, ({ id }) => id);
  }

  @Route({
    method: 'GET',
    path: ':id',
    needs: 'runs:read',
    summary: 'one run, and what each of its stages did and said',
    answer: detailedAnswer,
    errors: [404],
  })
  async get(@Req() request: Request, @Param('id') id: string): Promise<object> {
    return this.metadata.within(callerOf(request).workspaceId, async (transaction) => {
      const [run] = (await withSummaries(transaction, [await findRun(transaction, request, id)])) as [RunRow];
      const { lines, of } = await transaction.runs.lines(id);
      return {
        ...toView(run),
        stages: toStages(run, await transaction.runs.steps(id), lines),
        checks: toChecks(run),
        privacy: toPrivacy(run),
        linesLeftOut: of - lines.length,
      };
    });
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
      const isCancelled = await cancelRun(transaction, id, { actor: personId, nowMs: this.clock.now() });
      if (!isCancelled) throw toError('RUN_ENDED', { name: (await findRun(transaction, request, id)).state });
      return toView(await findRun(transaction, request, id));
    });
  }

  @Route({
    method: 'POST',
    path: ':id/pause',
    needs: 'runs:cancel',
    summary: 'hold a run; nothing of it stays on source or target, and when it is resumed it begins again',
    status: 202,
    answer,
    errors: [404, 409],
  })
  async pause(@Req() request: Request, @Param('id') id: string): Promise<object> {
    const { workspaceId, personId } = callerOf(request);
    return this.metadata.within(workspaceId, async (transaction) => {
      requireRight(request, 'runs:cancel', [(await findRun(transaction, request, id)).environment]);
      const run = await transaction.runs.lock(id);
      if (isEnded(run.state) || run.state === 'publishing' || run.state === 'awaiting-approval')
        throw toError('RUN_STATE_UNFIT', { name: run.state, expected: 'paused' });
      if (run.state === 'queued') return toView(await transaction.runs.transition(id, { to: 'paused', actor: personId }));
      if (run.state === 'paused') return toView(run);
      await transaction.runs.requestPause(id);
      await this.tell(transaction, 'run.pause-requested', id, personId);
      return toView(await findRun(transaction, request, id));
    });
  }

  @Route({
    method: 'POST',
    path: ':id/resume',
    needs: 'runs:cancel',
    summary: 'queue a paused run again',
    status: 202,
    answer,
    errors: [404, 409],
  })
  async resume(@Req() request: Request, @Param('id') id: string): Promise<object> {
    const { workspaceId, personId } = callerOf(request);
    return this.metadata.within(workspaceId, async (transaction) => {
      requireRight(request, 'runs:cancel', [(await findRun(transaction, request, id)).environment]);
      const run = await transaction.runs.lock(id);
      if (run.state !== 'paused') throw toError('RUN_STATE_UNFIT', { name: run.state, expected: 'resumed' });
      await this.queueAgain(transaction, id, personId);
      return toView(await findRun(transaction, request, id));
    });
  }

  @Route({
    ...{ method: 'POST', path: ':id/rerun', needs: 'runs:create', status: 201, answer, errors: [404, 409] },
    summary: 'a run that has ended, again: a new run with the versions of documents that it had',
    headers: { 'Idempotency-Key': 'the same request with the same key is carried out once' },
  })
  async rerun(@Req() request: Request, @Param('id') id: string, @Res({ passthrough: true }) response: Response): Promise<object> {
    const made = await answerOnce(this.metadata, request, response, async (transaction) => {
      const run = await findRun(transaction, request, id);
      requireRight(request, 'runs:create', [run.environment]);
      if (!isEnded(run.state)) throw toError('RUN_STATE_UNFIT', { name: run.state, expected: 'done again' });
      const again = await requestAgain(transaction, run, {
        ...{ requestedBy: callerOf(request).personId, nowMs: this.clock.now(), traceparent: traceOf(request) },
      });
      return toView(await transaction.runs.lock(again));
    });
    response.setHeader('Location', `/v1/runs/${made.id}`);
    return made;
  }

  private async queueAgain(transaction: Transaction, id: string, actor: string): Promise<void> {
    const { tags } = await transaction.runs.transition(id, { to: 'queued', actor });
    await enqueue(transaction, { id, tags });
  }

  private tell(transaction: Transaction, type: string, run: string, actor: string): Promise<void> {
    return transaction.audit({ type, at: toTimestamp(this.clock.now()), actor, data: { run } });
  }
}

/** A run of an environment that the caller may not look at is not there. */
async function findRun(transaction: Transaction, request: Request, id: string): Promise<RunRow> {
  const run = /^[0-9a-z]{16}$/.test(id) ? await transaction.runs.find(id) : undefined;
  const environments = environmentsOf(callerOf(request).roles, 'runs:read');
  if (!run || (environments !== 'all' && !environments.includes(run.environment))) throw toError('RESOURCE_UNKNOWN', { type: 'run' });
  return run;
}

/** With what people wrote in what is told of their end, as far as nobody had it erased. */
async function withSummaries({ log }: Transaction, runs: readonly RunRow[]): Promise<readonly RunRow[]> {
  const summaries = await log.withTexts(runs.map(({ summary }) => summary));
  return runs.map((run, i) => ({ ...run, summary: summaries[i] ?? null }));
}

function readFilter(query: Record<string, unknown>, name: string, pattern: string): Record<string, string> {
  const value = query[name];
  if (value === undefined) return {};
  if (typeof value !== 'string' || !new RegExp(pattern).test(value))
    throw toError('REQUEST_INVALID', { name, expected: 'a value that /openapi lists' });
  return { [name]: value };
}

function parseInstant(text: string): Date {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) throw toError('REQUEST_INVALID', { name: 'deadlineAt', expected: 'an instant that there is' });
  return at;
}

function toChecks({ summary }: RunRow): readonly unknown[] {
  const { checks } = (summary ?? {}) as { readonly checks?: readonly unknown[] };
  return checks ?? [];
}

function toPrivacy({ summary }: RunRow): unknown {
  const { privacy } = (summary ?? {}) as { readonly privacy?: unknown };
  return privacy ?? null;
}

function toView(run: RunRow): { readonly id: string; readonly [member: string]: unknown } {
  const { id, pipeline, environment, state, attempt, documents, summary } = run;
  const at = (date: Date | null): string | null => date?.toISOString() ?? null;
  return {
    ...{ id, pipeline, environment, state, attempt, documents, cause: run.cause },
    ...{ dueAt: at(run.dueAt), createdAt: at(run.createdAt), startedAt: at(run.startedAt), endedAt: at(run.endedAt) },
    ...{ cancelRequested: run.cancelRequestedAt !== null, pauseRequested: run.pauseRequestedAt !== null },
    ...{
      priority: run.priority,
      tags: run.tags,
      deadlineAt: at(run.deadlineAt),
      lateAt: at(run.lateAt),
      rerunOf: run.rerunOf,
      reuse: run.reuse,
    },
    ...{ movedRows: Number(run.movedRows), summary },
  };
}
