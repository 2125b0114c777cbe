// /v1/links: the credentials of a clone, handed out once. Looking at a link spends nothing, as previews of chats and mail look; redeeming it does.
import { timingSafeEqual } from 'node:crypto';

import { Controller, Inject, Param, Req, Res } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { type CloneRow, Metadata, type Transaction } from '../../systems/metadata/metadata.js';
import { CLOCK, type Request, type Response, Route, SERVER_KEY, parseRequest, toSecretDigest } from '../http/http.js';
import { unseal } from './one-time-link.js';

const states = ['waiting', 'ready', 'spent', 'expired'] as const;
type State = (typeof states)[number];

const view: Schema = {
  type: 'object',
  required: ['state', 'expiresAt'],
  properties: {
    state: { type: 'string', enum: states, description: 'waiting: what it is for is being made' },
    expiresAt: { type: 'string', format: 'date-time' },
  },
};
const body: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['secret'],
  properties: { secret: { type: 'string', pattern: '^link_[A-Za-z0-9_-]{43}$', description: 'what stands behind # in the link' } },
  description: 'secret',
};
const answer: Schema = {
  type: 'object',
  required: ['connection'],
  properties: { connection: { type: 'string', description: 'a connection string, shown this once' } },
};

@Controller('v1/links')
export class LinksController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SERVER_KEY) private readonly serverKey: Uint8Array,
  ) {}

  @Route({
    method: 'GET',
    path: ':id',
    needs: 'open',
    summary: 'whether a link can be redeemed; looking spends nothing',
    answer: view,
    errors: [404],
  })
  async look(@Param('id') id: string): Promise<object> {
    const row = await this.metadata.within(await this.findWorkspace(id), ({ clones }) => clones.find(id));
    if (!row?.linkExpiresAt) throw toError('RESOURCE_UNKNOWN', { type: 'link' });
    return { state: this.toState(row), expiresAt: toTimestamp(row.linkExpiresAt.getTime()) };
  }

  @Route({
    ...{ method: 'POST', path: ':id', needs: 'open', summary: 'redeem a link: what it is for is shown once', answer, body },
    errors: [404, 410],
  })
  async redeem(@Req() request: Request, @Param('id') id: string, @Res({ passthrough: true }) response: Response): Promise<object> {
    const { secret } = parseRequest<{ secret: string }>(request.body, body);
    const workspaceId = await this.findWorkspace(id);
    const outcome = await this.metadata.within(workspaceId, (transaction) => this.spend(transaction, id, secret));
    if (typeof outcome === 'object') {
      response.setHeader('Cache-Control', 'no-store');
      return outcome;
    }
    if (outcome === 'waiting') throw toError('LINK_NOT_READY');
    throw outcome === 'unknown' ? toError('RESOURCE_UNKNOWN', { type: 'link' }) : toError('LINK_SPENT', { name: outcome });
  }

  private async spend(transaction: Transaction, id: string, secret: string): Promise<{ connection: string } | State | 'unknown'> {
    const row = await transaction.clones.find(id, 'FOR UPDATE');
    const mac = toSecretDigest(secret, this.serverKey);
    // Of a link that was made anew since, the old secret opens nothing, and is told from none.
    if (!row?.linkMac || !timingSafeEqual(mac, row.linkMac)) return 'unknown';
    const state = this.toState(row);
    const tell = (type: string): Promise<void> =>
      transaction.audit({ type, at: toTimestamp(this.clock.now()), data: { clone: id, environment: row.environment, for: row.purpose } });
    if (state === 'spent' || state === 'expired') await tell('clone.link-refused');
    if (state !== 'ready' || !row.sealed) return state;
    const connection = unseal(secret, id, row.sealed);
    await transaction.clones.redeem(id);
    await tell('clone.link-redeemed');
    return { connection };
  }

  private toState({ redeemedAt, linkExpiresAt, sealed }: CloneRow): State {
    if (redeemedAt) return 'spent';
    if (!linkExpiresAt || linkExpiresAt.getTime() <= this.clock.now()) return 'expired';
    return sealed ? 'ready' : 'waiting';
  }

  /** Throws RESOURCE_UNKNOWN. */
  private async findWorkspace(id: string): Promise<string> {
    const [found] = /^[0-9a-z]{16}$/.test(id)
      ? await this.metadata.query<{ workspace: string | null }>('SELECT bauta.find_clone_link($1) AS workspace', [id])
      : [];
    if (!found?.workspace) throw toError('RESOURCE_UNKNOWN', { type: 'link' });
    return found.workspace;
  }
}
