// `bauta run` at a service: an applied pipeline by its name, followed as if it went here, with the same words, object and exit code in the end.
import { randomUUID } from 'node:crypto';

import { type BautaError, type Finding, toError, toErrorView, toFindings, toKnownError } from '../kernel/errors.js';
import type { RunSummary } from '../pipeline/report/report.js';
import { emptyAnswerOf } from './failure.js';
import { type RunView, followRun, isPassing, toRunPath } from './follow-run.js';
import { writeJson } from './print.js';
import { printOutcome } from './run-outcome.js';
import { type Server, toErrorOf } from './server.js';
import { Telling } from './telling.js';

export interface RemoteRun {
  /** Of the service, by its name. */
  readonly pipeline: string;
  /** Take a version that is there where it is what the run would make. */
  readonly reuse: boolean;
  readonly json: boolean;
  /** Asks the service to end the run; its reason is the error to show. */
  readonly stop: AbortSignal;
}

/** After a request to end a run, it has this long. */
const END_MS = 60_000;

export async function runRemote(server: Server, { pipeline, reuse, json, stop }: RemoteRun): Promise<number> {
  stop.throwIfAborted();
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID() };
  const { id } = await server.ask<RunView>('POST', '/v1/runs', {
    headers,
    body: JSON.stringify({ pipeline, ...(reuse ? { reuse } : {}) }),
  });
  try {
    const run = await untilEnded(server, id, stop);
    const error = toEnd(server, run, stop);
    const summary = toSummary(run, error);
    if (json) writeJson(summary);
    return printOutcome(summary, error);
  } catch (error) {
    process.stderr.write(`run      ${id} may go on there: bauta runs show ${id}\n`);
    throw error;
  }
}

async function untilEnded(server: Server, id: string, stop: AbortSignal): Promise<RunView> {
  const lost = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onStop = (): void => {
    timer = setTimeout(() => lost.abort(toError('RUN_NOT_ENDED', { run: id, amount: `${END_MS / 1000} s` })), END_MS);
    cancel(server, id, lost.signal).catch((error: unknown) => lost.abort(error));
  };
  stop.addEventListener('abort', onStop, { once: true });
  if (stop.aborted) onStop();
  try {
    return await followRun(server, id, new Telling(), lost.signal);
  } finally {
    stop.removeEventListener('abort', onStop);
    clearTimeout(timer);
  }
}

/** Until the service has heard it. A run that has ended, or publishes, is beyond it: then that is what is told. */
async function cancel(server: Server, id: string, lost: AbortSignal): Promise<void> {
  while (!lost.aborted) {
    try {
      return void (await server.ask('POST', `${toRunPath(id)}/cancel`));
    } catch (error) {
      if (toKnownError(error).code === 'RUN_ENDED') return;
      if (!isPassing(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** Why it did not come to a publication, or what failed after it: as the service knows it, or why it was stopped from here. */
function toEnd(server: Server, { state, summary }: RunView, stop: AbortSignal): BautaError | undefined {
  if (state === 'cancelled') return stop.aborted ? toKnownError(stop.reason) : (toErrorOf(summary?.['error']) ?? toError('RUN_CANCELLED'));
  const view = summary?.['error'];
  if (view === undefined) return undefined;
  const error = toErrorOf({ ...(view as object), findings: summary?.['findings'] });
  if (!error) return server.toTheirs(view);
  // One that is more than the sum of findings is one of them itself.
  const others = error.findings.filter(({ code }) => code !== error.code);
  return toError(error.code, error.where, others);
}

/** What `bauta run --json` gives. */
function toSummary({ id, state, summary }: RunView, error: BautaError | undefined): RunSummary {
  const known = { ...emptyAnswerOf('run'), ...summary, runId: id, state } as unknown as RunSummary;
  if (state !== 'cancelled' || !error) return known;
  const findings: readonly Finding[] = [...known.findings.filter(({ severity }) => severity === 'warning'), ...toFindings(error)];
  return { ...known, findings, error: toErrorView(error) };
}
