// May this plan, with these facts, go to that target? The question goes to a Policy; whatever keeps it from answering is a no.
import { createHash } from 'node:crypto';

import { toCanonicalJson } from '../../kernel/canonical-json.js';
import { BautaError, toFinding } from '../../kernel/errors.js';
import type { Decision, GateInput } from '../decision.js';
import type { Policy } from '../ports.js';

export { toDecisionRecord, type DecisionRecord } from './decision-record.js';
export { findPersonTables } from './person-tables.js';
export { toGateInput, type GateFacts, type KnownSource } from './gate-input.js';

/** Longer than any policy's own limit: the guard against a Policy that never settles. */
const patienceMs = 30_000;

const undecidedControls = ['BAUTA-GATE-1', 'SOC2-CC8.1'] as const;

/**
 * The policy's decision, if it is one; else a denial with the reason GATE_UNDECIDED and, where it is known, what stood in the way, whatever went wrong: a throw, a rejection, silence, an
 * empty or malformed answer, a yes with reasons, a no without. Never throws, never rejects.
 */
export async function decide(policy: Policy, input: GateInput, limits: { readonly timeLimitMs?: number } = {}): Promise<Decision> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limits.timeLimitMs ?? patienceMs);
  });
  try {
    // In a function of its own, so that a synchronous throw is a rejection like any other.
    const answer: unknown = await Promise.race([(async () => policy.decide(input))(), late]);
    if (answer === undefined) return toUndecided(policy, input, 'no answer in time');
    return isDecision(answer) ? answer : toUndecided(policy, input, 'the answer is no decision');
  } catch (error) {
    // A code of ours is safe to show; another error's text may hold anything.
    return error instanceof BautaError ? toUndecided(policy, input, error.code, error) : toUndecided(policy, input, 'the policy failed');
  } finally {
    clearTimeout(timer);
  }
}

function toUndecided(policy: Policy, input: GateInput, why: string, error?: BautaError): Decision {
  // That there is no decision, and what stood in its way.
  const causes = error === undefined ? [] : [{ code: error.code, message: error.message, hint: error.hint }];
  const { code, message, hint } = toFinding('GATE_UNDECIDED', { name: why });
  return {
    decisionId: toUndecidedId(input),
    allow: false,
    reasons: [{ code, message, hint }, ...causes].map((reason) => ({ controlIds: undecidedControls, ...reason })),
    policy: isBundle(policy.bundle) ? policy.bundle : { revision: 'unknown', digest: 'unknown' },
  };
}

/** A UUID (version 8, RFC 9562) made from the question, since this side of the ports has no randomness. */
function toUndecidedId(input: GateInput): string {
  const hex = createHash('sha256').update(textOf(input)).digest('hex');
  const variant = ((parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function textOf(input: GateInput): string {
  try {
    return toCanonicalJson(input);
  } catch {
    return 'no canonical text';
  }
}

function isDecision(value: unknown): value is Decision {
  if (!isRecord(value) || typeof value['decisionId'] !== 'string' || value['decisionId'] === '') return false;
  const { allow, reasons, policy } = value;
  if (typeof allow !== 'boolean' || !Array.isArray(reasons) || !isBundle(policy)) return false;
  return allow === (reasons.length === 0) && reasons.every(isReason);
}

function isReason(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { code, controlIds, message, hint } = value;
  const texts = [code, message, hint, ...(Array.isArray(controlIds) ? (controlIds as unknown[]) : [undefined])];
  return texts.every((text) => typeof text === 'string' && text !== '');
}

function isBundle(value: unknown): value is Decision['policy'] {
  return isRecord(value) && typeof value['revision'] === 'string' && typeof value['digest'] === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
