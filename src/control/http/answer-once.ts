// Idempotency-Key: the same request with the same key is carried out once; later ones get the first one's answer.
import type { Request, Response } from './exchange.js';

import { digestBytes } from '../../kernel/digest.js';
import { toError } from '../../kernel/errors.js';
import type { Metadata, Transaction } from '../../systems/metadata/metadata.js';
import { callerOf } from './access.js';

/** Carries out `work` in one transaction with the key's record, so that either both are there or neither. */
export async function answerOnce<T>(
  metadata: Metadata,
  request: Request,
  response: Response,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const { workspaceId, personId } = callerOf(request);
  const key = request.headers['idempotency-key'];
  if (key === undefined) return metadata.within(workspaceId, work);
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(key))
    throw toError('REQUEST_INVALID', { name: 'Idempotency-Key', expected: 'up to 200 visible ASCII characters' });
  const body = typeof request.body === 'string' ? request.body : '';
  const requestDigest = digestBytes(`${request.method} ${request.originalUrl}\n${request.headers['if-match'] ?? ''}\n${body}`);
  return metadata.within(workspaceId, async (transaction) => {
    const kept = await transaction.idempotency.take(personId, key, requestDigest);
    if (kept && kept.requestDigest !== requestDigest) throw toError('IDEMPOTENCY_KEY_REUSED');
    if (kept) {
      response.setHeader('Idempotency-Replayed', 'true').status(kept.status);
      return kept.body as T;
    }
    const answer = await work(transaction);
    await transaction.idempotency.keep(personId, key, response.statusCode, answer);
    return answer;
  });
}
