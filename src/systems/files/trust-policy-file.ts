// A trust policy as a file of the operator's or an auditor's.
import { readFile } from 'node:fs/promises';

import { toError } from '../../kernel/errors.js';
import { type TrustPolicy, isPolicyProblem, parseTrustPolicy } from '../../pipeline/audit/audit.js';

/** Throws TRUST_POLICY_UNREADABLE and TRUST_POLICY_INVALID. */
export async function readTrustPolicy(file: string): Promise<TrustPolicy> {
  return (await readWhole(file)).policy;
}

/** As it is written, for a package that carries it; a file with a mistake is refused here, and not found out by who gets the package. Throws as the other. */
export async function readTrustPolicyText(file: string): Promise<string> {
  return (await readWhole(file)).text;
}

async function readWhole(file: string): Promise<{ readonly text: string; readonly policy: TrustPolicy }> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw toError('TRUST_POLICY_UNREADABLE', { file });
  });
  const policy = parseTrustPolicy(text);
  if (isPolicyProblem(policy)) throw toError('TRUST_POLICY_INVALID', { file, ...policy });
  return { text, policy };
}
