// Idempotency-Key: the first request with a key is carried out, and what it answered is the answer to every later one.
import type { EntityManager } from 'typeorm';

export interface KeptAnswer {
  readonly requestDigest: string;
  readonly status: number;
  readonly body: unknown;
}

export class IdempotencyStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  /** Undefined: the key is ours now, and `keep` MUST follow in this transaction. A second request with it waits here until the first is done. */
  async take(personId: string, key: string, requestDigest: string): Promise<KeptAnswer | undefined> {
    const at = [this.workspaceId, personId, key];
    await this.manager.query(`DELETE FROM bauta.idempotency WHERE created_at < now() - interval '24 hours'`);
    const taken = await this.manager.query<unknown[]>(
      `INSERT INTO bauta.idempotency (workspace_id, person_id, key, request_digest) VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING RETURNING key`,
      [...at, requestDigest],
    );
    if (taken.length > 0) return undefined;
    const [kept] = await this.manager.query<{ request_digest: string; status: number; body: unknown }[]>(
      'SELECT request_digest, status, body FROM bauta.idempotency WHERE workspace_id = $1 AND person_id = $2 AND key = $3',
      at,
    );
    return kept && { requestDigest: kept.request_digest, status: kept.status, body: kept.body };
  }

  async keep(personId: string, key: string, status: number, body: unknown): Promise<void> {
    await this.manager.query(
      'UPDATE bauta.idempotency SET status = $4, body = $5 WHERE workspace_id = $1 AND person_id = $2 AND key = $3',
      [this.workspaceId, personId, key, status, JSON.stringify(body)],
    );
  }
}
