// What happens to runs in this process, as lines of its log: run, state or stage, and the trace that it belongs to. No value, no name of a column.
import type { JsonLogger } from './json-logger.js';
import { toTraceId } from './http/http.js';
import type { RunObserver } from './runs/runs.js';

/** Who looks on as well; of what stages tell only who wants to hear it. */
type Observer = Omit<RunObserver, 'tell'> & Partial<Pick<RunObserver, 'tell'>>;

export function logRuns(logger: JsonLogger, others: readonly Observer[]): RunObserver {
  const traces = new Map<string, string>();
  return {
    enter: (run, state) => {
      if (run.traceparent !== null) traces.set(run.id, toTraceId(run.traceparent));
      logger.info({ run: run.id, state, ...ofTrace(traces.get(run.id)) });
      for (const other of others) other.enter(run, state);
    },
    leave: (id) => {
      traces.delete(id);
      for (const other of others) other.leave(id);
    },
    tell: (event) => {
      logger.log({ run: event.runId, stage: event.stage, event: event.type, ...ofTrace(traces.get(event.runId)) });
      for (const other of others) other.tell?.(event);
    },
  };
}

const ofTrace = (trace: string | undefined): { readonly trace?: string } => (trace === undefined ? {} : { trace });
