// What this process answered, for as long as each answer is good: while the metadata database is away, the same question by the same token gets the same
// answer, and everything else an error. It is filled after a record is durable, and gone with the process. docs/decisions/0082.
import { createHash } from 'node:crypto';

import type { Clock } from '../../kernel/clock.js';
import type { Request, Response } from '../http/http.js';
import type { Asked } from './asked.js';
import type { Answer } from './to-answer.js';

const MOST = 10_000;
const LIMIT_BYTES = 1 << 20;
const address = /^\/v1\/gates\/([A-Za-z0-9][A-Za-z0-9._-]{0,99})\/decisions$/;
/** A token of ours: one of an issuer is taken once. */
const bearer = /^Bearer bauta_[A-Za-z0-9_-]{43}$/i;

interface Remembered {
  readonly place: string;
  readonly answer: Answer;
}

const toPlace = (workspaceId: string, gate: string, environment: string, service: string): string =>
  JSON.stringify([workspaceId, gate, environment, service]);

export class AnswerMemory {
  private readonly answers = new Map<string, Remembered>();

  /** MUST be given what was decided about this body, and is recorded. */
  keep(request: Request, workspaceId: string, gate: string, { environment, service }: Asked, answer: Answer): void {
    const key = toKey(request.headers.authorization, gate, request.body);
    if (key === undefined) return;
    this.answers.delete(key);
    this.answers.set(key, { place: toPlace(workspaceId, gate, environment, service), answer });
    const [oldest] = this.answers.keys();
    if (this.answers.size > MOST && oldest !== undefined) this.answers.delete(oldest);
  }

  /** Something was flipped there: nothing that was answered about it is said again. */
  forget(workspaceId: string, gate: string, environment: string, service: string): void {
    const place = toPlace(workspaceId, gate, environment, service);
    for (const [key, remembered] of this.answers) if (remembered.place === place) this.answers.delete(key);
  }

  /** False: it is another request, nothing is remembered of it, or its time is up. MUST be called only while nobody can be asked who the caller is. */
  async answer(request: Request, response: Response, clock: Clock): Promise<boolean> {
    const [, gate] = address.exec(request.path) ?? [];
    const { failStatus } = request.query;
    if (request.method !== 'POST' || gate === undefined || (failStatus !== undefined && failStatus !== '1')) return false;
    const key = toKey(request.headers.authorization, gate, await readText(request));
    const remembered = key === undefined ? undefined : this.answers.get(key);
    if (!remembered || Date.parse(remembered.answer.expiresAt) <= clock.now()) return false;
    const { answer } = remembered;
    response.status(!answer.allow && failStatus === '1' ? 403 : 200);
    response.type('application/json').send(JSON.stringify({ ...answer, kept: true }));
    return true;
  }
}

function toKey(authorization: string | undefined, gate: string, body: unknown): string | undefined {
  if (authorization === undefined || !bearer.test(authorization) || typeof body !== 'string') return undefined;
  return createHash('sha256')
    .update(JSON.stringify([authorization, gate, body]))
    .digest('base64');
}

async function readText(request: Request): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > LIMIT_BYTES) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
