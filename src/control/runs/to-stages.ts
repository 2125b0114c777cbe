// What each stage of a run did: its attempts, when, how much, by which worker, and what it said. A pure function of events and lines.
import type { RunLine, RunRow, RunState, RunStep } from '../../systems/metadata/metadata.js';

const working: ReadonlySet<RunState> = new Set(['planning', 'extracting', 'building', 'verifying', 'publishing']);

export interface RunStage {
  readonly stage: RunState;
  readonly attempt: number;
  readonly worker: string | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly seconds: number | null;
  /** Of the stage that moves rows; the others move none. */
  readonly rows: number | null;
  readonly bytes: number | null;
  readonly lines: readonly { readonly at: string; readonly text: string }[];
}

/** One entry per stage and attempt, in the order in which they began. */
export function toStages(run: RunRow, steps: readonly RunStep[], lines: readonly RunLine[]): readonly RunStage[] {
  return steps.flatMap((step, i) => {
    if (!working.has(step.state)) return [];
    const next = steps[i + 1];
    const now = next === undefined && step.state === 'extracting';
    return {
      ...{ stage: step.state, attempt: step.attempt, worker: step.workerId },
      ...{ startedAt: step.at, endedAt: next?.at ?? null },
      seconds: next ? Math.max(0, Date.parse(next.at) - Date.parse(step.at)) / 1000 : null,
      rows: now ? Number(run.movedRows) : (next?.rows ?? null),
      bytes: now ? Number(run.movedBytes) : (next?.bytes ?? null),
      lines: lines.filter(({ attempt, state }) => attempt === step.attempt && state === step.state).map(({ at, text }) => ({ at, text })),
    };
  });
}
