// What `bauta plan` answers, wherever it is asked: the plan as people read it, everything that was found, and what the gate says.
import { type ErrorView, type Finding, toError, toErrorView } from '../kernel/errors.js';
import type { Decision } from './decision.js';
import { type PlanView, toPlanView } from './plan-view.js';
import type { Prepared } from './prepare.js';

export interface PlanAnswer {
  readonly planDigest: string | null;
  /** null: documents and catalogue do not fit together. */
  readonly plan: PlanView | null;
  readonly findings: readonly Finding[];
  readonly decision: Decision | null;
  /** PLAN_REFUSED: with these findings nothing may run. */
  readonly error?: ErrorView;
}

export function toPlanAnswer({ findings, plan, planDigest, decision, catalogue }: Prepared): PlanAnswer {
  const errors = findings.filter(({ severity }) => severity === 'error');
  return {
    planDigest: planDigest ?? null,
    plan: plan ? toPlanView(plan, catalogue) : null,
    findings,
    decision: decision ?? null,
    ...(errors.length > 0 ? { error: toErrorView(toError('PLAN_REFUSED', { amount: String(errors.length) })) } : {}),
  };
}
