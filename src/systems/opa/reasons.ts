// What policies say, read strictly: their answers decide, so nothing in them is taken for what it is not.
import { toError } from '../../kernel/errors.js';
import type { Decision, Score } from '../../pipeline/decision.js';

export type Reason = Decision['reasons'][number];
/** What one of those that are asked says; score and missing evidence are said of deployments, by the rules of this release. */
export type Said = Pick<Decision, 'reasons' | 'score' | 'missing' | 'revokes'>;

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

/** The same with points, and beside it the score and what is missing. */
export function parseDeployment(result: unknown): Said {
  const { reasons: given, score, missing, revokes } = (result ?? {}) as Readonly<Record<string, unknown>>;
  const reasons = parseDecision(result).map((reason, n) => ({ ...reason, ...parseCost((given as unknown[])[n]) }));
  if (!Array.isArray(missing) || !missing.every((name) => typeof name === 'string')) return unusable();
  if (!Array.isArray(revokes) || !revokes.every((code) => typeof code === 'string')) return unusable();
  return { reasons, score: parseScore(score), missing: [...missing].sort(), revokes: [...revokes].sort() };
}

function parseCost(value: unknown): { readonly points: number; readonly evidenceId: string | null } {
  const { points, evidenceId } = value as Record<string, unknown>;
  return isNatural(points) && (evidenceId === null || typeof evidenceId === 'string') ? { points, evidenceId } : unusable();
}

function parseScore(value: unknown): Score {
  const { hundredths, earned, possible, items } = (value ?? {}) as Record<string, unknown>;
  if (!isNatural(hundredths) || !isNatural(earned) || !isNatural(possible) || hundredths > 10_000 || !Array.isArray(items))
    return unusable();
  return {
    ...{ hundredths, earned, possible },
    items: items.map((item: unknown) => {
      const { code, earned: part } = (item ?? {}) as Record<string, unknown>;
      return typeof code === 'string' && isNatural(part) ? { code, earned: part, ...parseCost(item) } : unusable();
    }),
  };
}

const isNatural = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

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
