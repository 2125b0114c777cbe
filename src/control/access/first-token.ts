// The way in: a token that works once, for fifteen minutes, and only makes the first administrator.
import { type Clock, toTimestamp } from '../../kernel/clock.js';
import type { Metadata } from '../../systems/metadata/metadata.js';
import { newSecret, toSecretDigest } from '../http/http.js';

export const FIRST_TOKEN_MS = 15 * 60 * 1000;

/** One for the workspace `default` when nobody administers it; undefined where somebody does. */
export async function issueFirstToken(metadata: Metadata, serverKey: Uint8Array, clock: Clock): Promise<string | undefined> {
  const [row] = await metadata.query<{ id: string; administered: boolean }>(
    `SELECT id, bauta.has_administrator(id) AS administered FROM bauta.workspace WHERE name = 'default'`,
  );
  if (!row || row.administered) return undefined;
  const secret = newSecret('first');
  const now = clock.now();
  await metadata.within(row.id, async (transaction) => {
    await transaction.people.insertFirstToken(toSecretDigest(secret, serverKey), new Date(now + FIRST_TOKEN_MS));
    await transaction.audit({ type: 'first-apikey.issued', at: toTimestamp(now), data: {} });
  });
  return secret;
}
