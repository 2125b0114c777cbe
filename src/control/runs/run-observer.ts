// Who looks on while a run goes its way: told, and never asked.
import type { Event } from '../../pipeline/event.js';
import type { RunRow, RunState } from '../../systems/metadata/metadata.js';

export interface RunObserver {
  /** This process brought the run into that state. */
  enter(run: Pick<RunRow, 'id' | 'traceparent'>, state: RunState): void;
  /** The run is not this process's any more, whatever became of it. */
  leave(run: string): void;
  /** What a stage told the log. */
  tell(event: Event): void;
}
