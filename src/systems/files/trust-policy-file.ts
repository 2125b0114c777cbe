// A trust policy as a file of the operator's or an auditor's.
import { readFile } from 'node:fs/promises';

import { toError } from '../../kernel/errors.js';
import { type TrustPolicy, isPolicyProblem, parseTrustPolicy } from '../../pipeline/audit/audit.js';

/** Throws TRUST_POLICY_UNREADABLE and TRUST_POLICY_INVALID. */
export async function readTrustPolicy(file: string): Promise<TrustPolicy> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw toError('TRUST_POLICY_UNREADABLE', { file });
  });
  const read = parseTrustPolicy(text);
  if (isPolicyProblem(read)) throw toError('TRUST_POLICY_INVALID', { file, ...read });
  return read;
}
