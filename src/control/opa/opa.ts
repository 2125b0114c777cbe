// POST /v1/opa/logs and /v1/opa/status: what users' own OPAs send of their decisions and of themselves (`services.bauta.url: …/v1/opa`). Kept is by what
// each was decided, and when; what was asked stays where it was asked, and its digest is kept.
import { createGunzip } from 'node:zlib';

import { Controller, Inject, Req } from '@nestjs/common';

import type { Schema } from '../../documents/documents.js';
import type { Json } from '../../kernel/canonical-json.js';
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import { digestBytes } from '../../kernel/digest.js';
import { toError } from '../../kernel/errors.js';
import { Metadata, type NewOpaEvent } from '../../systems/metadata/metadata.js';
import { CLOCK, type Request, Route, callerOf } from '../http/http.js';

const answer: Schema = {
  type: 'object',
  required: ['received', 'new'],
  properties: { received: { type: 'integer' }, new: { type: 'integer' } },
};
/** Of a request, after it was unpacked; OPA's own limit of a packed one is 32 KiB. */
const LIMIT_BYTES = 16 * 1024 * 1024;
const MOST = 20_000;

type Members = Readonly<Record<string, Json>>;

@Controller('v1/opa')
export class OpaController {
  constructor(
    @Inject(Metadata) private readonly metadata: Metadata,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Route({
    ...{ method: 'POST', path: 'logs', needs: 'evidence:send', answer, body: { type: 'array', items: { type: 'object' } } },
    summary: 'decisions of an OPA of one’s own, as its decision log sends them: a list, which may be gzip',
  })
  async logs(@Req() request: Request): Promise<object> {
    const events = await readJson(request);
    if (!Array.isArray(events) || events.length > MOST) throw refuse('a list of decisions');
    return this.keep(request, events.map(toDecision));
  }

  @Route({
    ...{ method: 'POST', path: 'status', needs: 'evidence:send', answer, body: { type: 'object' } },
    summary: 'the status of an OPA of one’s own: which bundles it has',
  })
  async status(@Req() request: Request): Promise<object> {
    return this.keep(request, [toStatus(await readJson(request))]);
  }

  private keep(request: Request, events: readonly NewOpaEvent[]): Promise<object> {
    const { workspaceId, personId: actor } = callerOf(request);
    return this.metadata.within(workspaceId, async (transaction) => {
      const added = events.length === 0 ? 0 : await transaction.decisions.receive(actor, events);
      const digest = digestBytes(events.map((one) => one.digest).join('\n'));
      const data = { kind: events[0]?.kind ?? 'decision', count: events.length, new: added, digest };
      if (added > 0) await transaction.audit({ type: 'opa.received', at: toTimestamp(this.clock.now()), actor, data });
      return { received: events.length, new: added };
    });
  }
}

function toDecision(value: Json): NewOpaEvent {
  const event = toMembers(value, 'decisions');
  const { decision_id: id, labels, bundles, path, timestamp, requested_by: by, result } = event;
  if (typeof id !== 'string' || id === '' || id.length > 200) throw refuse('decisions with a decision_id');
  const kept = { labels, bundles, path, timestamp, requested_by: by, allow: toAllow(result) };
  return { kind: 'decision', decisionId: id, digest: digestBytes(JSON.stringify(event)), event: toKept(kept) };
}

function toStatus(value: Json): NewOpaEvent {
  const event = toMembers(value, 'a status');
  const { labels, bundles } = event;
  return { kind: 'status', decisionId: null, digest: digestBytes(JSON.stringify(event)), event: toKept({ labels, bundles }) };
}

/** A yes or no, as policies say it; anything else of a result may hold anything. */
function toAllow(result: Json | undefined): boolean | undefined {
  if (typeof result === 'boolean') return result;
  const allow = typeof result === 'object' && result !== null && !Array.isArray(result) ? (result as Members)['allow'] : undefined;
  return typeof allow === 'boolean' ? allow : undefined;
}

const toKept = (members: Readonly<Record<string, Json | undefined>>): Json =>
  Object.fromEntries(Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

function toMembers(value: Json, expected: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse(expected);
  return value as Members;
}

const refuse = (expected: string): Error => toError('REQUEST_INVALID', { name: 'the body', expected });

async function readJson(request: Request): Promise<Json> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'gzip') throw toError('REQUEST_TYPE_UNSUPPORTED', { expected: 'JSON' });
  const source = request as unknown as NodeJS.ReadableStream;
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of encoding === 'gzip' ? source.pipe(createGunzip()) : source) {
      bytes += (piece as Buffer).length;
      if (bytes > LIMIT_BYTES) break;
      pieces.push(piece as Buffer);
    }
  } catch {
    throw refuse('gzip, whole');
  }
  if (bytes > LIMIT_BYTES) throw toError('REQUEST_TOO_LARGE', { amount: `${LIMIT_BYTES} bytes` });
  try {
    return JSON.parse(Buffer.concat(pieces).toString('utf8')) as Json;
  } catch {
    throw refuse('JSON');
  }
}
