// What each stage hands to audit: canonical JSON without personal data. Intent before and outcome after whatever changes the world.
import type { Json } from '../kernel/canonical-json.js';
import type { Stage } from './stages.js';

export interface Event {
  readonly runId: string;
  readonly stage: Stage;
  /** Past tense for what happened (`batch.loaded`), `<verb>.intended` for what is about to change the world. */
  readonly type: string;
  readonly at: string;
  /** Names, counts, digests and decisions only. */
  readonly data: Readonly<Record<string, Json>>;
}
