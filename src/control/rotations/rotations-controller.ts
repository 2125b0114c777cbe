// /v1/rotations: the login of a connection gets new passwords while it is in use.
import { Controller, Inject, Param, Req, Res } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { type DocumentVersion, Metadata, type Transaction } from '../../systems/metadata/metadata.js';
import { type ErrandView, findErrand, requestRotation, settleLost, toErrandView, viewProperties } from '../errands/errands.js';
import {
  CLOCK, type Request, type Response, Route, answerOnce, callerOf, nameSchema, parseRequest, requireRight,
} from '../http/http.js'; // prettier-ignore
import { isRotatable } from './rotatable.js';

const answer = viewProperties('connection, and the roles that were and are in use, as `bauta secrets rotate --json` has them');
const body: Schema = {
  ...{ type: 'object', additionalProperties: false, required: ['connection'], description: 'connection' },
  properties: { connection: nameSchema },
};

@Controller('v1/rotations')
export class RotationsController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Route({
    ...{ method: 'POST', needs: 'secrets:rotate', status: 202, answer, body, errors: [404, 409] },
    summary:
      'new passwords for the two roles of a connection’s login, while it is in use; it is for who has the right in every environment',
    headers: { 'Idempotency-Key': 'the same request with the same key is carried out once' },
  })
  async create(@Req() request: Request, @Res({ passthrough: true }) response: Response): Promise<ErrandView> {
    const { connection: name } = parseRequest<{ connection: string }>(request.body, body);
    const { personId: actor } = callerOf(request);
    const nowMs = this.clock.now();
    const made = await answerOnce(this.metadata, request, response, async (transaction) => {
      requireRight(request, 'secrets:rotate', []);
      const { kind, version } = await findRotatable(transaction, name);
      await requireNone(transaction, name);
      const row = await requestRotation(transaction, { kind, name, version }, { requestedBy: actor, nowMs });
      const data = { 'secret-rotation': row.id, connection: name };
      await transaction.audit({ type: 'secret-rotation.requested', at: toTimestamp(nowMs), actor, data });
      return toErrandView(row);
    });
    response.setHeader('Location', `/v1/rotations/${made.id}`);
    return made;
  }

  @Route({
    ...{ method: 'GET', path: ':id', needs: 'secrets:read', answer, errors: [404] },
    summary: 'a rotation that was asked for within a day',
  })
  async get(@Req() request: Request, @Param('id') id: string): Promise<ErrandView> {
    const of = { kind: 'secret-rotation', needs: 'secrets:read' } as const;
    return this.metadata.within(callerOf(request).workspaceId, (transaction) => findErrand(transaction, request, id, of));
  }
}

/** Throws RESOURCE_UNKNOWN and SECRET_NOT_ROTATABLE. */
async function findRotatable({ documents }: Transaction, name: string): Promise<DocumentVersion> {
  const found = await documents.find({ kind: 'Connection', name });
  if (!found) throw toError('RESOURCE_UNKNOWN', { type: 'connection' });
  if (!isRotatable(found.document)) throw toError('SECRET_NOT_ROTATABLE', { name });
  return found;
}

/** One at a time; one whose worker is gone has ended. Throws ROTATION_UNDER_WAY. */
async function requireNone(transaction: Transaction, name: string): Promise<void> {
  const open = await transaction.errands.findRotation(name);
  if (open !== undefined && (await settleLost(transaction, open)).endedAt === null) throw toError('ROTATION_UNDER_WAY', { name });
}
