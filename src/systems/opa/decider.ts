// One of those that are asked about a plan: the rules of this release, the users' own bundle, a server. All have to have nothing against it.
import type { GateInput } from '../../pipeline/decision.js';
import type { Said } from './reasons.js';

/** What a decision's record holds of the world. */
export interface Moment {
  readonly nowNs: bigint;
  /** The decision's id. */
  readonly seed: string;
}

export interface Decider {
  /** As it stands in the record. */
  readonly name: string;
  readonly bundle: { readonly revision: string; readonly digest: string };
  /** Why a newer bundle is not in force, as a code; undefined: there is none. */
  readonly refused?: string | undefined;
  /** No reasons against it: it may go ahead. Rejects when it could not be decided. */
  ask(input: GateInput, moment: Moment): Promise<Said>;
  close(): Promise<void>;
}
