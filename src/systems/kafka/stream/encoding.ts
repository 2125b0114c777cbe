// What differs between the ways in which a dataset goes through a broker, beside how its records look: who may not go this way, what `begin` tells, and
// how a version ends.
import type { Json } from '../../../kernel/canonical-json.js';
import type { Finding } from '../../../kernel/errors.js';
import type { Catalogue } from '../../../pipeline/catalogue.js';
import type { Plan } from '../../../pipeline/plan.js';
import type { DropKept, DropSeen, DropStep } from '../../../pipeline/ports.js';
import type { AgentBody } from '../wire/body.js';
import type { ControlMessage } from '../wire/message.js';
import type { Outlet, Say } from './outlet.js';
import type { ToldVersion } from './versions.js';

export interface Opening {
  readonly runId: string;
  readonly nonce: Uint8Array;
  readonly plan: Plan;
  readonly catalogue: Catalogue;
  /** As in OutletRun. */
  readonly streams: readonly number[];
  readonly version: number;
  readonly agents: ReadonlyMap<string, AgentBody>;
}

/** A shape, as Outlet is. */
export type Encoding = {
  readonly name: 'bulk' | 'rows';
  /** Agents that have to have published before the run has. */
  readonly agents: number;
  /** Every problem that would stop a delivery; changes nothing. */
  inspect(plan: Plan, catalogue: Catalogue, agents: ReadonlyMap<string, AgentBody>): Promise<readonly Finding[]>;
  /** Keeps out whoever still writes records, and ends what he had begun. Before the control topic is read by who is to change what there is. */
  fence(): Promise<void>;
  /** `toBegin` once the outlet was begun. */
  open(of: Opening): { readonly outlet: Outlet; readonly toBegin: () => Promise<Json> };
  /** What a run that did not publish left goes, and that is told. After `fence`. */
  withdraw(version: ToldVersion, say: Say): Promise<void>;
  /** Topics of nobody, and what was withdrawn by who died before it was deleted. After `fence`. Returns names of topics. */
  tidy(messages: readonly ControlMessage[], kept: readonly ToldVersion[]): Promise<readonly string[]>;
  toSteps(version: ToldVersion): readonly DropStep[];
  /** `versions`: all that there are. After `fence`. */
  drop(runId: string, steps: readonly DropStep[], versions: readonly ToldVersion[]): Promise<readonly DropKept[]>;
  see(steps: readonly DropStep[]): Promise<DropSeen['things']>;
  /** Whether a version that another one took the place of can be current again. */
  canReturnTo(version: ToldVersion): boolean;
};
