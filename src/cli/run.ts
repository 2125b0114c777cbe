// `bauta run`: the whole way, told as it happens, and its summary.
import { toError } from '../kernel/errors.js';
import { provision } from '../pipeline/pipeline.js';
import { type ComposeOptions, type Composed, compose, keepSummary } from './compose.js';
import { type GlobalOptions, wantsJson } from './context.js';
import { type Subject, choosePlace } from './place.js';
import { toFindingText, writeJson } from './print.js';
import { printOutcome } from './run-outcome.js';
import { Telling, toHooks } from './telling.js';

export interface RunOptions extends GlobalOptions, Subject, Omit<ComposeOptions, 'file'> {
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
    const place = await choosePlace('run', options);
    if (place.server) {
      const { runRemote } = await import('./run-remote.js');
      const { server, pipeline } = place;
      return await runRemote(server, { pipeline, reuse: options.reuse === true, json: wantsJson(options), stop: stop.signal });
    }
    return await carryOut(await compose({ ...options, file: place.file, signal: stop.signal }), wantsJson(options));
  } finally {
    clearTimeout(timer);
    process.removeListener('SIGINT', onSignal).removeListener('SIGTERM', onSignal);
  }
}

/** The run that was composed, what it says and its exit code. Closes what was opened. */
export async function carryOut(composed: Composed, json: boolean): Promise<number> {
  try {
    const { summary, error } = await provision(composed.doors, composed.request, composed.run, toHooks(new Telling()));
    const unkept = await keepSummary(composed.home, summary.runId, summary);
    if (unkept) process.stderr.write(`${toFindingText(unkept)}\n`);
    if (json) writeJson(unkept ? { ...summary, findings: [...summary.findings, unkept] } : summary);
    return printOutcome(summary, error);
  } finally {
    await composed.close();
  }
}
