// What policies say, read strictly: their answers decide, so nothing in them is taken for what it is not.
import { toError } from '../../kernel/errors.js';
import type { Decision } from '../../pipeline/decision.js';

export type Reason = Decision['reasons'][number];

const unusable = (): never => {
  throw toError('POLICY_ANSWER_UNUSABLE');
};

/** OPA's set of results with one result. An undefined decision is an empty set. */
export function toResult(results: unknown): unknown {
  const list: unknown[] = Array.isArray(results) ? results : unusable();
  if (list.length === 0) throw toError('POLICY_UNDEFINED');
  return list.length === 1 ? (list[0] as { result?: unknown } | null)?.result : unusable();
}

/** `{allow, reasons}`: a boolean, and reasons exactly when it is no. */
export function parseDecision(result: unknown): readonly Reason[] {
  const { allow, reasons } = (result ?? {}) as { allow?: unknown; reasons?: unknown };
  if (typeof allow !== 'boolean' || !Array.isArray(reasons) || allow !== (reasons.length === 0)) return unusable();
  return reasons.map(parseReason);
}

/** A set of reasons against: none is no objection. Controls and hint may be left out. */
export function parseDenials(result: unknown): readonly Reason[] {
  if (!Array.isArray(result)) return unusable();
  return result.map((one: unknown) => {
    const given = (typeof one === 'object' && one !== null ? one : unusable()) as Partial<Reason>;
    return parseReason({ controlIds: [], hint: 'ask who owns this rule', ...given });
  });
}

function parseReason(value: unknown): Reason {
  const { code, controlIds, message, hint } = (value ?? {}) as Record<string, unknown>;
  const controls: unknown[] = Array.isArray(controlIds) ? controlIds : [undefined];
  if (![code, message, hint, ...controls].every((text) => typeof text === 'string' && text !== '')) return unusable();
  return { code, controlIds: controls, message, hint } as Reason;
}

/** By code, then by what it says: the order in which sets are iterated in wasm says nothing. */
export function compareReasons(a: Reason, b: Reason): number {
  const [first, second] = [`${a.code}\n${a.message}`, `${b.code}\n${b.message}`];
  return first < second ? -1 : first > second ? 1 : 0;
}
