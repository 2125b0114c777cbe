// /v1/webhooks: a delivery from outside, known by its signature and nothing else. What is refused is audited; what is accepted asks for one run.
import { Controller, Inject, Param, Req } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import type { TriggerDefinition, WebhookDefinition } from '../../pipeline/definition.js';
import { Metadata, type Transaction, type TriggerRow } from '../../systems/metadata/metadata.js';
import { CLOCK, HOOK_SECRETS, type ReadHookSecret, type Request, Route, isUuid, traceOf } from '../http/http.js';
import { giveBack } from '../environments/environments.js';
import { openIncident } from '../incidents/incidents.js';
import { findEnvironment, requestRun, toWanted } from '../runs/runs.js';
import { getTrigger } from '../triggers/triggers.js';
import { type Refusal, type Verified, verifyDelivery } from './verify-delivery.js';

const answer: Schema = {
  type: 'object',
  required: ['run'],
  properties: {
    run: { type: ['string', 'null'], description: 'the run that was asked for' },
    clone: { type: 'string', description: 'the clone of a pull request that has ended, which is dropped; no run is asked for then' },
    incident: {
      type: 'string',
      description: 'the incident that an alert opened, or that is open about the same; no run is asked for then',
    },
    ignored: { type: 'string', enum: ['event', 'branch', 'paused'], description: 'why none was asked for' },
  },
};
const body: Schema = { type: 'object', description: 'as GitHub, GitLab or Standard Webhooks have it' };
const SHORTEST = 16;

type Answer = {
  readonly run: string | null;
  readonly clone?: string;
  readonly incident?: string;
  readonly ignored?: 'event' | 'branch' | 'paused';
};
interface Found {
  readonly workspaceId: string;
  readonly row: TriggerRow;
  readonly trigger: TriggerDefinition;
  readonly webhook: WebhookDefinition;
}

@Controller('v1/webhooks')
export class WebhooksController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(HOOK_SECRETS) private readonly readSecret: ReadHookSecret,
  ) {}

  @Route({
    ...{ method: 'POST', path: ':id', needs: 'signature', summary: 'something happened: a signed delivery', status: 202 },
    ...{ answer, body, errors: [401, 403, 404] },
  })
  async deliver(@Req() request: Request, @Param('id') id: string): Promise<Answer> {
    const found = await this.find(id);
    const bytes = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    const verdict = await this.verify(found, { headers: request.headers, body: bytes });
    if (typeof verdict === 'string') return this.refuse(found, verdict);
    const dropped = found.row.pausedAt === null ? await this.dropClone(found, verdict) : undefined;
    if (dropped !== undefined) return { run: null, clone: dropped };
    const ignored = found.row.pausedAt === null ? toIgnored(found.webhook, verdict) : 'paused';
    if (ignored) return { run: null, ignored };
    const { playbook } = found.trigger;
    if (playbook !== undefined) return { run: null, incident: await this.open(found, playbook, verdict) };
    const run = await this.metadata.within(found.workspaceId, (transaction) => this.ask(transaction, found, verdict, traceOf(request)));
    return run === undefined ? this.refuse(found, 'replayed') : { run };
  }

  /** Throws RESOURCE_UNKNOWN: who has no address learns nothing, and is in nobody's workspace. */
  private async find(id: string): Promise<Found> {
    const [place] = isUuid(id)
      ? await this.metadata.query<{ workspace_id: string; name: string }>('SELECT workspace_id, name FROM bauta.find_trigger($1)', [id])
      : [];
    if (!place) throw toError('RESOURCE_UNKNOWN', { type: 'webhook' });
    return this.metadata.within(place.workspace_id, async (transaction) => {
      const row = await transaction.triggers.find(place.name);
      const trigger = row && (await getTrigger(transaction, row));
      if (!row || !trigger || !('webhook' in trigger.on)) throw toError('RESOURCE_UNKNOWN', { type: 'webhook' });
      return { workspaceId: place.workspace_id, row, trigger, webhook: trigger.on.webhook };
    });
  }

  private async verify({ workspaceId, row, webhook }: Found, delivery: Parameters<typeof verifyDelivery>[1]): Promise<Verified | Refusal> {
    const secret = (await this.readSecret(workspaceId, webhook.secret))?.trim() ?? '';
    // A secret that can be guessed is none; whoever signs gets no answer that tells.
    if (secret.length < SHORTEST) throw toError('WEBHOOK_SECRET_UNUSABLE', { name: row.name, amount: `${SHORTEST} characters` });
    return verifyDelivery(webhook.form, delivery, secret, this.clock.now());
  }

  private async refuse({ workspaceId, row, trigger, webhook }: Found, reason: Refusal): Promise<never> {
    const data = { trigger: row.name, version: row.version, form: webhook.form, reason };
    await this.metadata.within(workspaceId, (transaction) =>
      transaction.audit({ type: 'webhook.refused', at: toTimestamp(this.clock.now()), data }),
    );
    throw toError(trigger.playbook === undefined ? 'WEBHOOK_REFUSED' : 'ALERT_REFUSED', { name: reason });
  }

  /** Id of the clone that was made for a pull request that has ended; undefined: there is none, or it is no such delivery. */
  private async dropClone({ workspaceId, trigger, webhook }: Found, { closed }: Verified): Promise<string | undefined> {
    if (webhook.clones === undefined || closed === undefined) return undefined;
    const purpose = `${webhook.clones}${closed}`;
    return this.metadata.within(workspaceId, async (transaction) => {
      const environment = await findEnvironment(transaction, trigger.pipeline);
      const row = await transaction.clones.findFor(environment, purpose);
      if (!row) return undefined;
      if (row.state !== 'dropping') await giveBack(transaction, row, { nowMs: this.clock.now(), why: 'closed' });
      return row.id;
    });
  }

  /** One that came before says again what is open; it opens nothing twice, and nothing anew after that was closed. */
  private async open(found: Found, playbook: string, { digest, toldForMs }: Verified): Promise<string> {
    const { workspaceId, row, trigger } = found;
    const { name } = row;
    const rule = `alert ${name}`;
    const incident = await this.metadata.within(workspaceId, async (transaction) => {
      const locked = await transaction.triggers.lock(name);
      const [answeredBy] = await transaction.documents.authorsOf([{ kind: 'Trigger', name, version: row.version }]);
      if (!locked || answeredBy === undefined) return undefined;
      const { pipeline } = trigger;
      if (await transaction.triggers.isAnswered(locked.id, digest)) {
        const environment = await findEnvironment(transaction, pipeline);
        return (await transaction.incidents.findOpen({ rule, environment, pipeline }))?.id;
      }
      const now = new Date(this.clock.now());
      const { id } = await openIncident(transaction, { rule, pipeline, playbook, openedBy: null, answeredBy }, this.clock);
      await transaction.triggers.answer(locked.id, digest, id, now, toldForMs === undefined ? null : new Date(now.getTime() + toldForMs));
      const data = { trigger: name, version: row.version, digest, incident: id };
      await transaction.audit({ type: 'trigger.answered', at: toTimestamp(now.getTime()), data });
      return id;
    });
    return incident ?? this.refuse(found, 'replayed');
  }

  /** The run's id; undefined: the same delivery had one. */
  private async ask(
    transaction: Transaction,
    { row: { name }, trigger }: Found,
    verified: Verified,
    traceparent: string | undefined,
  ): Promise<string | undefined> {
    const row = await transaction.triggers.lock(name);
    if (!row || (await transaction.triggers.isAnswered(row.id, verified.digest))) return undefined;
    const now = new Date(this.clock.now());
    const cause = { kind: 'Trigger', name, version: row.version };
    const run = await requestRun(transaction, {
      pipeline: trigger.pipeline,
      requestedBy: null,
      cause,
      nowMs: now.getTime(),
      traceparent,
      ...toWanted(trigger.parameters, now.getTime()),
    });
    if (run === undefined) return undefined;
    const { digest, toldForMs } = verified;
    await transaction.triggers.answer(row.id, digest, run, now, toldForMs === undefined ? null : new Date(now.getTime() + toldForMs));
    const data = { trigger: name, version: row.version, digest, run };
    await transaction.audit({ type: 'trigger.answered', at: toTimestamp(now.getTime()), data });
    return run;
  }
}

const usual: Partial<Record<WebhookDefinition['form'], readonly string[]>> = { github: ['push'], gitlab: ['Push Hook'] };

function toIgnored({ form, events = usual[form], branches }: WebhookDefinition, { event, branch }: Verified): Answer['ignored'] {
  if (events && !events.includes(event ?? '')) return 'event';
  return branches && !branches.includes(branch ?? '') ? 'branch' : undefined;
}
