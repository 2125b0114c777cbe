// The door of /v1/archives: the archive of the version that an environment has now, for one pull. The API sees it sealed only: what opens it a worker
// seals to the caller's own key.
import { join } from 'node:path';

import { Controller, Inject, Param, Req, Res } from '@nestjs/common';

import type { Settings } from '../../config/settings.js';
import type { Schema } from '../../documents/documents.js';
import type { Clock } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import type { HandedOut } from '../../pipeline/hand-out.js';
import { Metadata } from '../../systems/metadata/metadata.js';
import { toArchiveRoot } from '../archive-keys.js';
import { type ErrandView, findErrand, requestErrand, toErrandView, toThrown, viewProperties } from '../errands/errands.js';
import {
  CLOCK, type Request, type Response, Route, SETTINGS, answerOnce, callerOf, environmentPattern, nameSchema, parseRequest, requireRight,
} from '../http/http.js'; // prettier-ignore
import { findArchivePipeline } from './find-pipeline.js';
import { sendFile } from './send-file.js';

const right = 'archives:pull';
const wantedSchema: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['environment', 'recipient'],
  properties: {
    environment: { type: 'string', pattern: `^${environmentPattern}$`, description: 'the name of an environment' },
    recipient: {
      type: 'string',
      pattern: '^age1[02-9ac-hj-np-z]{58}$',
      description: 'the public key of an age identity, made for this pull',
    },
    pipeline: { ...nameSchema, description: 'which one delivers there, where several do' },
  },
  description: 'environment, recipient and pipeline',
};
const answer = viewProperties(
  'name, bytes and sha256 of the file; target, version, runId and expiresAt; log: the public key of the log that signed it; key: what opens it, as a file sealed to the recipient, in base64',
);

@Controller('v1/archives')
export class ArchivesController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Route({
    ...{ method: 'POST', needs: right, status: 202, answer, body: wantedSchema, errors: [404] },
    summary: 'ask for the archive of the version that an environment has now',
    headers: { 'Idempotency-Key': 'the same request with the same key is carried out once' },
  })
  async create(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<ErrandView> {
    const { environment, recipient, pipeline } = parseRequest<{ environment: string; recipient: string; pipeline?: string }>(
      request.body,
      wantedSchema,
    );
    requireRight(request, right, [environment]);
    const made = await answerOnce(this.metadata, request, response, async (transaction) => {
      const found = await findArchivePipeline(transaction, environment, pipeline);
      const asked = { kind: 'archive', pipeline: found, requestedBy: callerOf(request).personId, nowMs: this.clock.now() } as const;
      const row = await requestErrand(transaction, { ...asked, wanted: { recipient } }, (of) => requireRight(request, right, [of]));
      return toErrandView(row);
    });
    response.setHeader('Location', `/v1/archives/${made.id}`);
    return made;
  }

  @Route({ ...{ method: 'GET', path: ':id', needs: right, answer, errors: [404] }, summary: 'an archive that was asked for within a day' })
  async get(@Req() request: Request, @Param('id') id: string): Promise<ErrandView> {
    return this.find(request, id);
  }

  @Route({
    ...{ method: 'GET', path: ':id/file', needs: right, answerType: 'application/octet-stream', errors: [404, 409, 416, 422] },
    ...{ answer: { type: 'string', format: 'binary' }, partial: true },
    summary: 'the file, sealed: for an hour after the answer',
    headers: { Range: '`bytes=N-`: the rest from byte N on' },
  })
  async file(@Req() request: Request, @Param('id') id: string, @Res() response: Response): Promise<void> {
    const { endedAt, result, error } = await this.find(request, id);
    if (endedAt === null) throw toError('ARCHIVE_NOT_READY');
    if (error !== null) throw toThrown(error);
    if (Date.parse(endedAt) + 3_600_000 < this.clock.now()) throw toError('RESOURCE_UNKNOWN', { type: 'archive' });
    const { name, bytes } = result as unknown as HandedOut;
    await sendFile(join(toArchiveRoot(this.settings, this.settings.BAUTA_HOME), name), bytes, request, response);
  }

  private find(request: Request, id: string): Promise<ErrandView> {
    const of = { kind: 'archive', needs: right } as const;
    return this.metadata.within(callerOf(request).workspaceId, (transaction) => findErrand(transaction, request, id, of));
  }
}
