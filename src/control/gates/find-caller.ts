// The caller that a gate names, for a question that comes without a token.
import { toError } from '../../kernel/errors.js';
import type { GateCallers } from '../../pipeline/gate-callers.js';
import type { Metadata } from '../../systems/metadata/metadata.js';
import type { ReadHookSecret } from '../http/http.js';
import { findGate } from './gate-facts.js';

const SHORTEST = 16;

export interface FoundCaller<Via extends keyof GateCallers> {
  readonly workspaceId: string;
  /** Of the gate. */
  readonly version: number;
  readonly caller: NonNullable<GateCallers[Via]>;
}

/** Throws RESOURCE_UNKNOWN: who has no such gate learns nothing of any. */
export async function findCaller<Via extends keyof GateCallers>(
  metadata: Metadata,
  name: string,
  via: Via,
  workspace: unknown,
): Promise<FoundCaller<Via>> {
  const [place] =
    workspace === undefined || typeof workspace === 'string'
      ? await metadata.query<{ id: string }>('SELECT id FROM bauta.workspace WHERE name = $1', [workspace ?? 'default'])
      : [];
  if (!place) throw toError('RESOURCE_UNKNOWN', { type: 'Gate' });
  const { gate, version } = await metadata.within(place.id, (transaction) => findGate(transaction, name));
  const caller = gate.callers?.[via];
  if (!caller) throw toError('RESOURCE_UNKNOWN', { type: 'Gate' });
  return { workspaceId: place.id, version, caller };
}

/** Throws WEBHOOK_SECRET_UNUSABLE: a secret that can be guessed is none. */
export async function readCallerSecret(read: ReadHookSecret, workspaceId: string, gate: string, reference: string): Promise<string> {
  const secret = (await read(workspaceId, reference))?.trim() ?? '';
  if (secret.length < SHORTEST) throw toError('WEBHOOK_SECRET_UNUSABLE', { name: gate, amount: `${SHORTEST} characters` });
  return secret;
}
