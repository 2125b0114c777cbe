// What each stage hands to audit: canonical JSON without personal data. Intent before and outcome after whatever changes the world.
import type { Json } from '../kernel/canonical-json.js';
import type { Stage } from './stages.js';

export interface Event {
  /** Empty for what belongs to no run. */
  readonly runId: string;
  /** `control`: the service, which is no stage of the way. */
  readonly stage: Stage | 'control';
  /** Past tense for what happened (`batch.loaded`), `<verb>.intended` for what is about to change the world. */
  readonly type: string;
  readonly at: string;
  /** Names, counts, digests and decisions only. */
  readonly data: Readonly<Record<string, Json>>;
}

/** The state of a log at one moment: whoever holds it can tell whether a later log still begins with that one. */
export interface Checkpoint {
  /** Which log: unique, and the same for all its checkpoints. */
  readonly origin: string;
  /** How many entries. */
  readonly size: number;
  /** RFC 6962 root of their tree, in base64. */
  readonly root: string;
}

/** Where an event stands in the log, and the signed checkpoint that covers it. */
export interface Appended {
  /** 0-based entry of the log that `checkpoint.origin` names. */
  readonly index: number;
  readonly checkpoint: Checkpoint;
}

/** An event where it stands in a chain of logs, for who reads on from there. */
export interface LoggedEvent {
  /** Of the chain: the period that it began in. */
  readonly log: string;
  readonly index: number;
  /** `data` is empty where `later` has it. */
  readonly event: Event;
  /** Data that lies beside the log and was not read yet. */
  readonly later?: () => Promise<Event['data']>;
}
