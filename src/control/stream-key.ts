// The key that signs what leaves for an environment through a broker. Agents pin its public half when they are enrolled, so it stays the same while
// archives' keys are rotated: it is derived from the oldest version of the environment's transport key that was not destroyed.
import type { KeyObject } from 'node:crypto';

import { toPrivateKey } from '../kernel/ed25519.js';
import type { KeyProvider } from '../pipeline/ports.js';

const label = 'bauta/1\0stream-signing';

/** `keys`: the environment's hierarchy `transport`. Makes its first version; where the oldest was destroyed, agents have to be enrolled anew. */
export async function findStreamKey(keys: KeyProvider): Promise<KeyObject> {
  const current = await keys.currentVersion();
  const oldest = (await keys.versions()).find(({ state }) => state === 'current' || state === 'kept');
  return toPrivateKey(await keys.derive(label, oldest?.version ?? current));
}
