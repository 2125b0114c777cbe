// Identity tokens that were taken. Of the whole installation: a token that opened one workspace opens no other.
import { createHash } from 'node:crypto';

import type { EntityManager } from 'typeorm';

export class IdentityStore {
  constructor(private readonly manager: EntityManager) {}

  /** False when it was taken before, by whichever replica. It is remembered until nobody would believe it any more. */
  async use(issuer: string, id: string, until: Date): Promise<boolean> {
    const digest = createHash('sha256')
      .update(JSON.stringify([issuer, id]))
      .digest();
    const [row] = await this.manager.query<{ used: boolean }[]>('SELECT bauta.use_identity($1, $2) AS used', [digest, until]);
    return row?.used === true;
  }
}
