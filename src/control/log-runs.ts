// What happens to runs in this process, as lines of its log: run, state or stage, and the trace that it belongs to. No value, no name of a column.
import type { JsonLogger } from './json-logger.js';
import { toTraceId } from './http/http.js';
import type { RunObserver } from './runs/runs.js';

export function logRuns(logger: JsonLogger, other: RunObserver): RunObserver {
  const traces = new Map<string, string>();
  return {
    enter: (run, state) => {
      if (run.traceparent !== null) traces.set(run.id, toTraceId(run.traceparent));
      logger.info({ run: run.id, state, ...ofTrace(traces.get(run.id)) });
      other.enter(run, state);
    },
    leave: (id) => {
      traces.delete(id);
      other.leave(id);
    },
    tell: (event) => {
      logger.log({ run: event.runId, stage: event.stage, event: event.type, ...ofTrace(traces.get(event.runId)) });
      other.tell(event);
    },
  };
}

const ofTrace = (trace: string | undefined): { readonly trace?: string } => (trace === undefined ? {} : { trace });
