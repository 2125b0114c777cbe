// /v1/gates/{name}/kubernetes: a validating admission webhook. A cluster can send no header, so that its address ends with its secret.
import { Controller, Inject, Optional, Param, Req } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { parseJson } from '../../kernel/json-member.js';
import type { KubernetesCaller } from '../../pipeline/gate-callers.js';
import { Metadata } from '../../systems/metadata/metadata.js';
import { CLOCK, HOOK_SECRETS, type ReadHookSecret, type Request, Route, requireName } from '../http/http.js';
import { type Review, type Weighed, readReview, toReview, toSettledReview } from './admission.js';
import { askedSchema } from './asked.js';
import { isSameSecret } from './call.js';
import { findCaller, readCallerSecret } from './find-caller.js';
import { GATE_DOORS, GateDoors } from './gate-doors.js';
import { takeDecision, weigh } from './take-decision.js';

const answer: Schema = {
  type: 'object',
  required: ['apiVersion', 'kind', 'response'],
  properties: { apiVersion: { type: 'string' }, kind: { type: 'string' }, response: { type: 'object' } },
};
const imageForm = new RegExp(((askedSchema['properties'] as Record<string, Schema>)['image'] as { pattern: string }).pattern);

@Controller('v1/gates')
export class AdmissionController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(HOOK_SECRETS) private readonly readSecret: ReadHookSecret,
    @Optional() @Inject(GATE_DOORS) private readonly doors?: GateDoors,
  ) {}

  @Route({
    ...{ method: 'POST', path: ':name/kubernetes/:workspace/:key', needs: 'signature', answer, errors: [400, 403, 404] },
    body: { type: 'object', description: 'AdmissionReview of admission.k8s.io/v1' },
    summary: 'a cluster wants to let a workload in: its images are judged by their digests; a dry run leaves nothing behind',
  })
  async review(
    @Req() request: Request,
    @Param('name') name: string,
    @Param('workspace') workspace: string,
    @Param('key') key: string,
  ): Promise<object> {
    const { workspaceId, version, caller } = await findCaller(this.metadata, requireName(name, 'Gate'), 'kubernetes', workspace);
    const secret = await readCallerSecret(this.readSecret, workspaceId, name, caller.secret);
    if (!isSameSecret(key, secret)) {
      const data = { gate: name, version, via: 'kubernetes', reason: 'forged' };
      await this.metadata.within(workspaceId, (transaction) =>
        transaction.audit({ type: 'gate.refused', at: toTimestamp(this.clock.now()), data }),
      );
      throw toError('WEBHOOK_REFUSED', { name: 'forged' });
    }
    const review = readReview(parseJson(request.body instanceof Uint8Array ? request.body : new Uint8Array()));
    if (!review) throw toError('REQUEST_INVALID', { name: 'the body', expected: 'an AdmissionReview of admission.k8s.io/v1' });
    if ('code' in review) return toSettledReview(review, name);
    return this.judge(workspaceId, name, review, caller);
  }

  private async judge(workspaceId: string, gate: string, review: Review, { namespaces }: KubernetesCaller): Promise<object> {
    const { uid, namespace, images, dryRun } = review;
    const place = namespaces.find((one) => one.name === namespace);
    const service = place?.service ?? review.service;
    if (!place || service === undefined)
      return toSettledReview({ uid, allowed: false, code: place ? 'SERVICE_UNKNOWN' : 'NAMESPACE_UNKNOWN' }, gate);
    const { metadata, clock, doors } = this;
    if (!doors) throw toError('DEPLOYMENT_UNDECIDED', { name: 'no policy is open here' });
    const asking = { workspaceId, via: 'kubernetes' as const };
    const ask = async (image: string): Promise<Weighed> => {
      // What has another form has no digest.
      const asked = { environment: place.environment, service, image: imageForm.test(image) && image.length <= 600 ? image : 'unreadable' };
      const opened = { metadata, doors, clock };
      const decided = dryRun ? (await weigh(opened, asking, gate, asked)).answer : await takeDecision(opened, asking, gate, asked);
      return { ...decided, image: image.slice(0, 300), enforced: decided.enforced ?? true };
    };
    return toReview(uid, gate, dryRun, await Promise.all(images.map(ask)));
  }
}
