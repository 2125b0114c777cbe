// How old the passwords of connections are, by the log: of those that were rotated here. What Vault or a person changed otherwise nobody told it.
import type { Transaction } from '../../systems/metadata/metadata.js';
import { isRotatable } from './rotatable.js';

export interface SecretAge {
  readonly connection: string;
  readonly seconds: number;
}

/** Only of those whose document names such a login still. */
export async function readSecretAges({ log, documents }: Transaction, nowMs: number): Promise<readonly SecretAge[]> {
  const ages: SecretAge[] = [];
  for (const { at, data } of await log.standing(['secret.rotated'])) {
    const { connection } = data;
    if (typeof connection !== 'string') continue;
    const found = await documents.find({ kind: 'Connection', name: connection });
    if (found && isRotatable(found.document)) ages.push({ connection, seconds: Math.max(0, (nowMs - Date.parse(at)) / 1000) });
  }
  return ages;
}
