// /v1/gates/{name}/…: native callers of a gate, each in a language of its own. Who is told later gets no answer here but that it was heard.
import { randomUUID } from 'node:crypto';

import { Controller, Inject, Param, Query, Req } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import type { Json } from '../../kernel/canonical-json.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import type { GateCallers } from '../../pipeline/gate-callers.js';
import { type CallbackRow, Metadata } from '../../systems/metadata/metadata.js';
import {
  CLOCK, HOOK_SECRETS, type ReadHookSecret, type Request, Route, SERVER_KEY, callerOf, isUuid, nameSchema, pageSchema, parseRequest, readPage,
  requireName, requireRight, toPage,
} from '../http/http.js'; // prettier-ignore
import { type Asked, askedSchema } from './asked.js';
import { azureHeaders, readAzureTask } from './azure-call.js';
import type { Call, Delivery, NoCall } from './call.js';
import { findCaller, readCallerSecret } from './find-caller.js';
import { findGate } from './gate-facts.js';
import { readGitHubCall } from './github-call.js';
import { readGitLabCall } from './gitlab-call.js';
import { seal } from './seal.js';

const heard: Schema = {
  type: 'object',
  required: ['callback'],
  properties: { callback: { type: ['string', 'null'], description: 'id under which it waits for its answer; null: nothing was asked' } },
};
const instant: Schema = { type: ['string', 'null'], format: 'date-time' };
const properties: Readonly<Record<string, Schema>> = {
  ...{ id: { type: 'string', format: 'uuid' }, via: { type: 'string', enum: ['github', 'gitlab', 'azure'] } },
  state: { type: 'string', enum: ['waiting', 'told', 'dead'], description: 'dead: nobody could be told' },
  asked: { type: 'object', description: 'environment, service and commit' },
  allow: { type: ['boolean', 'null'], description: 'null: it is not decided' },
  decisionId: { type: ['string', 'null'] },
  attempts: { type: 'integer' },
  error: { type: ['string', 'null'], description: 'why the last try did not do, as a code of docs/errors.md' },
  ...{ createdAt: { type: 'string', format: 'date-time' }, nextAt: instant, endedAt: instant },
};
const callback: Schema = { type: 'object', required: Object.keys(properties), properties };
const workspace = { ...nameSchema, description: 'the workspace of the gate; default: default' };
/** As long as a check of Azure DevOps may be set to wait without anybody thinking that it hangs; its token does not live longer. */
const AZURE_WAITS_MS = 3_600_000;

type Via = 'github' | 'gitlab';
type Reader<V extends Via> = (delivery: Delivery, caller: NonNullable<GateCallers[V]>, secret: string, nowMs: number) => Call | NoCall;

@Controller('v1/gates')
export class GateCallersController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(HOOK_SECRETS) private readonly readSecret: ReadHookSecret,
    @Inject(SERVER_KEY) private readonly serverKey: Uint8Array,
  ) {}

  @Route({
    ...{ method: 'POST', path: ':name/github', needs: 'signature', status: 202, answer: heard, errors: [403, 404] },
    ...{ body: { type: 'object', description: 'deployment_protection_rule, as GitHub sends it' }, query: { workspace } },
    summary: 'a job waits before an environment of GitHub; it is told by the REST API of GitHub',
  })
  github(@Req() request: Request, @Param('name') name: string, @Query('workspace') of: unknown): Promise<object> {
    return this.hear(request, 'github', readGitHubCall, name, of);
  }

  @Route({
    ...{ method: 'POST', path: ':name/gitlab', needs: 'signature', status: 202, answer: heard, errors: [403, 404] },
    ...{ body: { type: 'object', description: 'a merge request, as GitLab sends it to an external status check' }, query: { workspace } },
    summary: 'a merge request of GitLab waits for a status check; it is told by the REST API of GitLab',
  })
  gitlab(@Req() request: Request, @Param('name') name: string, @Query('workspace') of: unknown): Promise<object> {
    return this.hear(request, 'gitlab', readGitLabCall, name, of);
  }

  @Route({
    ...{ method: 'POST', path: ':name/azure', needs: 'gates:decide', body: askedSchema, answer: heard, errors: [404] },
    headers: Object.fromEntries(Object.keys(azureHeaders).map((name) => [name, 'of the task that waits, as Azure DevOps has it'])),
    summary: 'a task of Azure DevOps waits for its event; it is posted to the organisation that the gate names',
  })
  async azure(@Req() request: Request, @Param('name') name: string): Promise<object> {
    requireName(name, 'Gate');
    const { workspaceId, personId } = callerOf(request);
    const { gate, version } = await this.metadata.within(workspaceId, (transaction) => findGate(transaction, name));
    if (!gate.callers?.azure) throw toError('RESOURCE_UNKNOWN', { type: 'Gate' });
    const asked = parseRequest<never>(request.body, askedSchema) as Asked;
    requireRight(request, 'gates:decide', [asked.environment]);
    const task = readAzureTask(request.headers, gate.callers.azure);
    if (task === 'foreign') return this.refuse(workspaceId, { gate: name, version, via: 'azure', reason: task });
    if ('missing' in task) throw toError('REQUEST_INVALID', { name: task.missing, expected: 'what Azure DevOps has of the task' });
    const [id, nowMs] = [randomUUID(), this.clock.now()];
    const call = { delivery: id, digest: id, asked, place: { ...task.place, person: personId }, untilMs: nowMs + AZURE_WAITS_MS };
    return { callback: await this.queue(workspaceId, name, 'azure', call, id, seal(task.token, `${workspaceId} ${id}`, this.serverKey)) };
  }

  @Route({
    ...{ method: 'GET', path: ':name/callbacks', needs: 'decisions:read', query: pageSchema, errors: [400, 404] },
    answer: {
      type: 'object',
      required: ['items', 'next'],
      properties: { items: { type: 'array', items: callback }, next: { type: ['string', 'null'] } },
    },
    summary: 'who asked this gate to be told later, newest first, and whether they were',
  })
  async list(@Req() request: Request, @Param('name') name: string, @Query() query: Record<string, unknown>): Promise<object> {
    requireName(name, 'Gate');
    const { limit, after } = readPage(query, isUuid);
    const rows = await this.metadata.within(callerOf(request).workspaceId, async (transaction) => {
      if (!(await transaction.documents.find({ kind: 'Gate', name }))) throw toError('RESOURCE_UNKNOWN', { type: 'Gate' });
      return transaction.callbacks.list(name, limit, after);
    });
    return toPage(rows.map(toView), limit, ({ id }) => id);
  }

  private async hear<V extends Via>(request: Request, via: V, read: Reader<V>, name: string, workspaceName: unknown): Promise<object> {
    const { workspaceId, version, caller } = await findCaller(this.metadata, requireName(name, 'Gate'), via, workspaceName);
    const delivery = { headers: request.headers, body: request.body instanceof Uint8Array ? request.body : new Uint8Array() };
    const secret = await readCallerSecret(this.readSecret, workspaceId, name, caller.secret);
    const call = read(delivery, caller, secret, this.clock.now());
    if (call === 'ignored') return { callback: null };
    if (typeof call === 'string') return this.refuse(workspaceId, { gate: name, version, via, reason: call });
    return { callback: await this.queue(workspaceId, name, via, call) };
  }

  private async refuse(workspaceId: string, data: { gate: string; version: number; via: string; reason: string }): Promise<never> {
    await this.metadata.within(workspaceId, (transaction) =>
      transaction.audit({ type: 'gate.refused', at: toTimestamp(this.clock.now()), data }),
    );
    throw toError('WEBHOOK_REFUSED', { name: data.reason });
  }

  /** Durable when it returns. The same one again waits, or waited, under the same id. */
  private queue(
    workspaceId: string,
    gate: string,
    via: CallbackRow['via'],
    { untilMs, tag, ...call }: Call,
    id: string = randomUUID(),
    sealed: Uint8Array | null = null,
  ): Promise<string> {
    return this.metadata.within(workspaceId, async (transaction) => {
      const row = { ...call, id, gate, via, asked: call.asked as unknown as Json, sealed, untilAt: new Date(untilMs) };
      const { id: known, isNew } = await transaction.callbacks.insert(row);
      const { commit } = call.asked;
      const named = tag === undefined || commit === undefined ? {} : { tag, commit };
      const data = { callback: known, gate, via, digest: call.digest, ...named };
      if (isNew) await transaction.audit({ type: 'gate.called', at: toTimestamp(this.clock.now()), data });
      return known;
    });
  }
}

function toView({ id, via, state, asked, verdict, attempts, error, createdAt, nextAt, endedAt }: CallbackRow) {
  return {
    ...{ id, via, state, asked, allow: verdict?.allow ?? null, decisionId: verdict?.decisionId ?? null, attempts, error },
    ...{ createdAt: createdAt.toISOString(), nextAt: state === 'waiting' ? nextAt.toISOString() : null },
    endedAt: endedAt?.toISOString() ?? null,
  };
}
