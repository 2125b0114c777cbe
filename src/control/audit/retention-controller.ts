// What retention and erasure ask of the workspace's log: an old log goes as a whole, by an entry; a text that the log holds a commitment to goes, and
// the log stays whole.
import { randomUUID } from 'node:crypto';

import { Controller, Inject, Param, Req } from '@nestjs/common';

import type { Settings } from '../../config/settings.js';
import type { Schema } from '../../documents/documents.js';
import type { Json } from '../../kernel/canonical-json.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { toError } from '../../kernel/errors.js';
import { newRunId } from '../../kernel/ids.js';
import { carriedTypes, toCarryOn, verifyChain } from '../../pipeline/audit/audit.js';
import type { Appended, Checkpoint, Event } from '../../pipeline/event.js';
import { Metadata, type Transaction } from '../../systems/metadata/metadata.js';
import { CLOCK, SETTINGS, type Request, Route, callerOf, parseRequest, requireRight } from '../http/http.js';
import { untilSequenced } from '../until-sequenced.js';

const reason: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 1000,
  pattern: '^[^\\u0000]*[^\\s\\u0000][^\\u0000]*$',
  description: 'why; the log holds a commitment to it',
};
const deletion: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['reason'],
  properties: { reason },
  description: 'reason',
};
const erasure: Schema = {
  ...deletion,
  required: ['commitment', 'reason'],
  properties: {
    commitment: { type: 'string', pattern: '^sha256:[0-9a-f]{64}$', description: 'a commitment of the log, sha256:…' },
    reason,
  },
  description: 'commitment and reason',
};
const checkpoint = { origin: { type: 'string' }, size: { type: 'integer' }, root: { type: 'string' } };
const entry: Schema = {
  type: ['object', 'null'],
  description: 'where the intent stands; null: it was done before',
  required: ['index', 'checkpoint'],
  properties: { index: { type: 'integer' }, checkpoint: { type: 'object', properties: checkpoint } },
};
const deleted: Schema = {
  type: 'object',
  required: ['deleted'],
  properties: {
    deleted: { type: ['object', 'null'], description: 'null: it was deleted before', properties: { ...checkpoint, entry } },
  },
};
const erased: Schema = { type: 'object', required: ['of', 'entry'], properties: { of: { type: 'string' }, entry } };

const DAY_MS = 86_400_000;
/** Less than what a client waits. */
const PATIENCE_MS = 20_000;

@Controller('v1/audit/log')
export class RetentionController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Route({
    ...{ method: 'POST', path: ':log/delete', needs: 'audit:erase', body: deletion, answer: deleted, errors: [404, 409] },
    summary: 'delete the oldest log of a whole chain when its retention has ended; the entry that says so stays',
  })
  async delete(@Req() request: Request, @Param('log') name: string): Promise<{ deleted: (Checkpoint & { entry: Appended }) | null }> {
    const { reason: why } = parseRequest<{ reason: string }>(request.body, deletion);
    requireRight(request, 'audit:erase', []);
    const { workspaceId, personId } = callerOf(request);
    const key = randomUUID();
    const ended = await this.metadata.within(workspaceId, async (transaction) => {
      await transaction.log.lockKept();
      const old = await this.findOld(transaction, name);
      if (!old) return undefined;
      const [of, others] = [old.checkpoint, old.others];
      const found = await transaction.log.events(carriedTypes, [name]);
      const runId = newRunId(this.clock.now());
      for (const event of toCarryOn(found, await transaction.log.events(carriedTypes, others)))
        await this.append(transaction, runId, 'log.carried', { origin: of.origin, event: event as unknown as Json });
      const data = { ...of, closedAt: old.closedAt, retentionDays: this.settings.BAUTA_LOG_RETENTION_DAYS, actor: personId };
      const committed = await transaction.log.keepText(why);
      await this.append(transaction, runId, 'log.deleted.intended', { ...data, reason: { committed } }, key);
      return { of, retained: old.retained };
    });
    if (!ended) return { deleted: null };
    const { of, retained } = ended;
    const at = await untilSequenced(this.metadata, workspaceId, ({ log }) => log.find(key), PATIENCE_MS);
    const logs = await this.metadata.within(workspaceId, ({ log }) => log.logs());
    if (logs.some((one) => one.name === name))
      // The clock that counts is that of the database.
      throw retained;
    return { deleted: { ...of, entry: at } };
  }

  @Route({
    ...{ method: 'POST', path: 'texts/erase', needs: 'audit:erase', body: erasure, answer: erased },
    summary: 'erase a text that the log holds a commitment to, wherever it is kept; the log stays whole',
  })
  async erase(@Req() request: Request): Promise<{ of: string; entry: Appended | null }> {
    const { commitment: of, reason: why } = parseRequest<{ commitment: string; reason: string }>(request.body, erasure);
    requireRight(request, 'audit:erase', []);
    const { workspaceId, personId } = callerOf(request);
    const key = randomUUID();
    const isNew = await this.metadata.within(workspaceId, async (transaction) => {
      await transaction.log.lockKept();
      const erased = await transaction.log.eraseText(of);
      if (!erased) {
        const before = await transaction.log.events(['text.erased.done']);
        if (before.some(({ data }) => [data['of'], data['also']].flat().includes(of))) return false;
        throw toError('ERASABLE_UNKNOWN');
      }
      await transaction.errands.forget();
      const runId = newRunId(this.clock.now());
      const committed = await transaction.log.keepText(why);
      await this.append(transaction, runId, 'text.erased.intended', { of, actor: personId, reason: { committed } }, key);
      const also = erased.filter((commitment) => commitment !== of);
      await this.append(transaction, runId, 'text.erased.done', { of, ...(also.length > 0 ? { also } : {}) });
      return true;
    });
    return { of, entry: isNew ? await untilSequenced(this.metadata, workspaceId, ({ log }) => log.find(key), PATIENCE_MS) : null };
  }

  /** Undefined when it was deleted before. Throws LOG_UNKNOWN, LOG_OPEN, LOG_NOT_OLDEST, LOG_RETAINED, or LOG_NOT_WHOLE. */
  private async findOld({ log }: Transaction, name: string) {
    const logs = await log.logs();
    const at = logs.findIndex((one) => one.name === name);
    if (at < 0) {
      const gone = await log.events(['log.deleted.done']);
      if (gone.some(({ data }) => typeof data['origin'] === 'string' && data['origin'].endsWith(`/${name}`))) return undefined;
      throw toError('LOG_UNKNOWN', { name, expected: logs.map((one) => one.name).join(', ') });
    }
    if (at === logs.length - 1) throw toError('LOG_OPEN', { file: name });
    if (at > 0) throw toError('LOG_NOT_OLDEST', { file: name, expected: logs[0]?.name });
    const [closed] = await log.events(['log.closed'], [name]);
    if (!closed) throw toError('LOG_INCONSISTENT', { file: name });
    const days = this.settings.BAUTA_LOG_RETENTION_DAYS;
    const until = Date.parse(closed.at) + days * DAY_MS;
    const retained = toError('LOG_RETAINED', { file: name, expected: new Date(until).toISOString(), amount: `${days} days` });
    if (!(this.clock.now() >= until)) throw retained;
    // A deletion must not hide what is wrong.
    const verifier = await log.verifier();
    const { findings } = await verifyChain(log.files(), { known: [], ...(verifier ? { verifier } : {}) });
    const broken = findings.filter(({ severity }) => severity === 'error');
    if (!verifier || broken.length > 0) throw toError('LOG_NOT_WHOLE', { amount: `${broken.length} found` }, broken);
    return { checkpoint: logs[at]!.checkpoint, closedAt: closed.at, retained, others: logs.slice(1).map((one) => one.name) };
  }

  private append(transaction: Transaction, runId: string, type: string, data: Event['data'], key: string = randomUUID()): Promise<void> {
    return transaction.append({ runId, stage: 'audit', type, at: toTimestamp(this.clock.now()), data }, key);
  }
}
