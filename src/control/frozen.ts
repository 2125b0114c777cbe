// While an incident holds what a pipeline provisions, nothing new of it is made: no run, no clone, no hand-out, no roll-back.
import { toError } from '../kernel/errors.js';
import type { Transaction } from '../systems/metadata/metadata.js';

/** Throws INCIDENT_FROZEN. */
export async function requireNotFrozen({ incidents }: Transaction, environment: string, pipeline: string): Promise<void> {
  const incident = await incidents.findFreeze(environment, pipeline);
  if (incident !== undefined) throw toError('INCIDENT_FROZEN', { name: `${pipeline} in ${environment}`, amount: incident });
}
