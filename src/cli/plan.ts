// `bauta plan`: what will happen to every column, why, and what the gate says. Moves no row; --sample reads a few and shows them masked only.
import { toError, toErrorView } from '../kernel/errors.js';
import { toPlanView } from '../pipeline/plan-view.js';
import { prepare, toScope } from '../pipeline/prepare.js';
import { type ComposeOptions, compose } from './compose.js';
import { wantsJson } from './context.js';
import { toPlanLines } from './plan-text.js';
import { paint, printError, stripControls, toExitCode, toFindingText, toReasonsText, toTable, writeJson } from './print.js';
import { sampleMasked } from './sample.js';

export interface PlanOptions extends ComposeOptions {
  /** Rows of each table to preview. */
  readonly sample?: number;
}

export async function plan(options: PlanOptions): Promise<number> {
  const composed = await compose(options);
  try {
    const prepared = await prepare(composed.doors, composed.request);
    const { findings, plan: bound, planDigest, decision, catalogue } = prepared;
    const errors = findings.filter(({ severity }) => severity === 'error');
    const refusal = errors.length > 0 ? toError('PLAN_REFUSED', { amount: String(errors.length) }) : undefined;
    const view = bound && toPlanView(bound, catalogue);
    const sample =
      bound && !refusal && decision?.allow && options.sample !== undefined
        ? await sampleMasked(composed, bound, toScope(composed.request), options.sample)
        : undefined;
    if (wantsJson(options))
      writeJson({
        planDigest: planDigest ?? null,
        plan: view ?? null,
        findings,
        decision: decision ?? null,
        ...(sample ? { sample } : {}),
        ...(refusal ? { error: toErrorView(refusal) } : {}),
      });
    else {
      for (const line of view ? toPlanLines(view) : []) process.stdout.write(`${stripControls(line, '\n')}\n`);
      for (const finding of findings) process.stdout.write(`${stripControls(toFindingText(finding), '\n\u001b')}\n`);
      for (const { table, columns, rows } of sample ?? [])
        process.stdout.write(`\n${table}, masked\n${stripControls(toTable([columns, ...rows]), '\n')}\n`);
      if (decision) {
        process.stdout.write(
          `\ngate: ${decision.allow ? paint('allow', 32, process.stdout) : paint('deny', 31, process.stdout)} (policy ${decision.policy.revision})\n`,
        );
        if (!decision.allow) process.stdout.write(`${toReasonsText(decision.reasons)}\n`);
      }
    }
    if (refusal) {
      printError(refusal);
      return toExitCode(refusal);
    }
    return decision?.allow === true ? 0 : 2;
  } finally {
    await composed.close();
  }
}
