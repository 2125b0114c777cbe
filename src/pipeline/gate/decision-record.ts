// A decision in the form of OPA's decision log, so that tools made for OPA can read, mask and replay it.
import type { Json } from '../../kernel/canonical-json.js';
import { toTimestamp } from '../../kernel/clock.js';
import type { Decision, GateInput } from '../decision.js';

/** One event of OPA's decision log (docs, "Decision Logs"): snake_case is the format's. */
export interface DecisionRecord {
  /** `policy_digest`, and likewise of what was asked beside it: `user_digest`, `server_digest`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly decision_id: string;
  readonly bundles: { readonly bauta: { readonly revision: string } } & Readonly<Record<string, { readonly revision: string }>>;
  readonly path: string;
  /** Names, digests, numbers and lengths: what people wrote and what rows hold never gets into a question, so there is nothing to mask. */
  readonly input: GateInput;
  readonly result: Json;
  readonly metrics: Readonly<Record<string, number>>;
  readonly timestamp: string;
}

/** Path of the question in the bundle; the manifest's entrypoint is the same. */
const path = 'gate/provision/decision';

/** `metrics` are OPA's timers in nanoseconds, for example `timer_server_handler_ns`; `atMs` is when the decision was taken. */
export function toDecisionRecord(
  decision: Decision,
  input: GateInput,
  at: { readonly atMs: number; readonly metrics?: Readonly<Record<string, number>> },
): DecisionRecord {
  const { policy, others = [] } = decision;
  return {
    labels: {
      ...{ app: 'bauta', policy_digest: policy.digest },
      ...Object.fromEntries(others.map(({ name, digest }) => [`${name}_digest`, digest])),
    },
    decision_id: decision.decisionId,
    bundles: { bauta: { revision: policy.revision }, ...Object.fromEntries(others.map(({ name, revision }) => [name, { revision }])) },
    path,
    input,
    result: { allow: decision.allow, reasons: decision.reasons },
    metrics: at.metrics ?? {},
    timestamp: toTimestamp(at.atMs),
  };
}
