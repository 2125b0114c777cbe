// `bauta plan`: what will happen to every column, why, and what the gate says. Moves no row; --sample reads a few and shows them masked only.
import { toError } from '../kernel/errors.js';
import { type PlanAnswer, toPlanAnswer } from '../pipeline/plan-answer.js';
import { prepare, toScope } from '../pipeline/prepare.js';
import { type ComposeOptions, compose } from './compose.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { type Subject, choosePlace } from './place.js';
import { toPlanLines } from './plan-text.js';
import { paint, printError, stripControls, toExitCode, toFindingText, toReasonsText, toTable, writeJson } from './print.js';
import { type SampledTable, sampleMasked } from './sample.js';
import { toErrorOf } from './server.js';

export interface PlanOptions extends GlobalOptions, Subject {
  /** Rows of each table to preview. */
  readonly sample?: number;
}

interface Shown extends PlanAnswer {
  readonly sample?: readonly SampledTable[];
}

export async function plan(options: PlanOptions): Promise<number> {
  const place = await choosePlace('plan', options);
  if (place.server && options.sample !== undefined)
    throw toError('COMMAND_LINE_INVALID', { name: '--sample shows rows, and is for this machine', expected: 'bauta plan --help' });
  const answer: Shown = place.server
    ? await (await import('./await-errand.js')).awaitErrand<PlanAnswer>(place.server, '/v1/plans', place.pipeline)
    : await planHere({ ...options, file: place.file }, options.sample);
  if (wantsJson(options)) writeJson(answer);
  else printPlan(answer);
  if (answer.error) {
    const refusal = toErrorOf(answer.error) ?? toError('SERVER_ANSWER_UNKNOWN', { name: place.server?.own.host });
    printError(refusal);
    return toExitCode(refusal);
  }
  return answer.decision?.allow === true ? 0 : 2;
}

async function planHere(options: ComposeOptions, rows: number | undefined): Promise<Shown> {
  const composed = await compose(options);
  try {
    const prepared = await prepare(composed.doors, composed.request);
    const { error, ...answer } = toPlanAnswer(prepared);
    const sample =
      prepared.plan && !error && prepared.decision?.allow && rows !== undefined
        ? await sampleMasked(composed, prepared.plan, toScope(composed.request), rows)
        : undefined;
    return { ...answer, ...(sample ? { sample } : {}), ...(error ? { error } : {}) };
  } finally {
    await composed.close();
  }
}

function printPlan({ plan: view, findings, decision, sample = [] }: Shown): void {
  for (const line of view ? toPlanLines(view) : []) process.stdout.write(`${stripControls(line, '\n')}\n`);
  for (const finding of findings) process.stdout.write(`${stripControls(toFindingText(finding), '\n\u001b')}\n`);
  for (const { table, columns, rows } of sample)
    process.stdout.write(`\n${table}, masked\n${stripControls(toTable([columns, ...rows]), '\n')}\n`);
  if (!decision) return;
  const answer = decision.allow ? paint('allow', 32, process.stdout) : paint('deny', 31, process.stdout);
  process.stdout.write(`\ngate: ${answer} (policy ${decision.policy.revision})\n`);
  if (!decision.allow) process.stdout.write(`${toReasonsText(decision.reasons)}\n`);
}
