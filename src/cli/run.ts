// `bauta run`: the whole way, told as it happens, and its summary.
import { toError, toKnownError } from '../kernel/errors.js';
import { provision } from '../pipeline/pipeline.js';
import type { RunSummary } from '../pipeline/report/report.js';
import type { Hooks } from '../pipeline/run.js';
import { type ComposeOptions, type Composed, compose, keepSummary } from './compose.js';
import { wantsJson } from './context.js';
import { paint, printError, toBytesText, toCount, toExitCode, toFindingText, toReasonsText, writeJson } from './print.js';
import { Progress } from './progress.js';
import { toVerdictText } from './verdict-text.js';

export interface RunOptions extends ComposeOptions {
  /** Milliseconds. */
  readonly timeout?: number;
}

export async function run(options: RunOptions): Promise<number> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(toError('RUN_CANCELLED'));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const timer =
    options.timeout === undefined
      ? undefined
      : setTimeout(() => stop.abort(toError('TIMEOUT_PASSED', { amount: `${options.timeout} ms` })), options.timeout);
  try {
    return await carryOut(await compose({ ...options, signal: stop.signal }), wantsJson(options));
  } finally {
    clearTimeout(timer);
    process.removeListener('SIGINT', onSignal).removeListener('SIGTERM', onSignal);
  }
}

/** The run that was composed, what it says and its exit code. Closes what was opened. */
export async function carryOut(composed: Composed, json: boolean): Promise<number> {
  try {
    const { summary, error } = await provision(composed.doors, composed.request, composed.run, tellProgress());
    const unkept = await keepSummary(composed.home, summary.runId, summary);
    if (unkept) process.stderr.write(`${toFindingText(unkept)}\n`);
    if (json) writeJson(unkept ? { ...summary, findings: [...summary.findings, unkept] } : summary);
    return printOutcome(summary, error);
  } finally {
    await composed.close();
  }
}

/** What a person sees while it runs, on stderr. */
export function tellProgress(): Hooks {
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  let progress: Progress | undefined;
  let building = false;
  return {
    prepared: ({ plan, sourceFacts, decision, findings }) => {
      for (const finding of findings) if (finding.severity === 'warning') say(toFindingText(finding));
      if (!plan) return;
      const masked = plan.tables.flatMap(({ columns }) => columns).filter(({ rule }) => rule.transform !== 'keep' || rule.paths).length;
      const columns = plan.tables.reduce((sum, table) => sum + table.columns.length, 0);
      say(`plan     ${toCount(plan.tables.length, 'table')}, ${toBytesText(sourceFacts.bytes)}, ${masked} of ${columns} columns masked`);
      if (decision) say(`gate     ${decision.allow ? paint('allow', 32) : paint('deny', 31)}, policy ${decision.policy.revision}`);
      progress = new Progress('copy    ', sourceFacts.estimatedRows);
    },
    moved: (_, rows) => progress?.add(rows),
    built: (done, of) => {
      if (!building) progress?.end();
      building = true;
      if (done === of) say(`build    ${of} statements: keys, constraints, indexes, views, statistics`);
    },
    verified: (report) => say(toVerdictText(report)),
  };
}

function printOutcome(summary: RunSummary, error: unknown): number {
  const { state, dataset, decision, findings } = summary;
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  if (state === 'published' && dataset) {
    const rows = summary.tables.reduce((sum, table) => sum + table.rows, 0);
    say(
      `${paint('published', 32)} ${dataset.target}, version ${dataset.version}: ${rows.toLocaleString('en')} rows in ${summary.seconds.toFixed(1)} s (${summary.rowsPerSecond.toLocaleString('en')} rows/s while they moved, peak memory ${toBytesText(summary.peakRssBytes)})`,
    );
    if (error === undefined) return 0;
    printError(error, []);
    return toExitCode(error);
  }
  if (state === 'denied' && decision) {
    say(toReasonsText(decision.reasons));
    say(`${paint('denied', 31)} by policy ${decision.policy.revision}, decision ${decision.decisionId}; no row was read`);
    return 2;
  }
  if (state === 'withheld') {
    for (const finding of findings.filter(({ severity }) => severity === 'error')) say(toFindingText(finding));
    say(`${paint('withheld', 31)}: nothing was published, the target is as it was`);
    return 1;
  }
  // Warnings were said when they were found.
  printError(
    error,
    toKnownError(error).findings.filter(({ severity }) => severity === 'error'),
  );
  // Its hint asks for it.
  if (toKnownError(error).code === 'UNEXPECTED') say(`run      ${summary.runId}`);
  return toExitCode(error);
}
