// Triggers of a workspace: their addresses, whether somebody paused them, and what they have answered. What a trigger says is its document.
import type { EntityManager } from 'typeorm';

export interface TriggerRow {
  /** The address of its webhook. */
  readonly id: string;
  readonly name: string;
  readonly version: number;
  /** The pipeline whose datasets it waits for; null: it has a webhook. */
  readonly watches: string | null;
  readonly pausedAt: Date | null;
}

export class TriggerStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  /** A version was applied. Its address stays, and so does a pause. */
  async put(name: string, version: number, watches: string | null, since: Date): Promise<void> {
    await this.manager.query(
      `INSERT INTO bauta.trigger AS t (workspace_id, name, version, watches, since) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (workspace_id, name) DO UPDATE SET version = $3, since = CASE WHEN t.watches IS NOT DISTINCT FROM $4 THEN t.since ELSE $5 END, watches = $4`,
      [this.workspaceId, name, version, watches, since],
    );
  }

  async find(name: string): Promise<TriggerRow | undefined> {
    return (await this.among([name]))[0];
  }

  async among(names: readonly string[]): Promise<readonly TriggerRow[]> {
    return this.select('', names);
  }

  /** For a change or an event; waits for who has it now. */
  async lock(name: string): Promise<TriggerRow | undefined> {
    return (await this.select('FOR UPDATE', [name]))[0];
  }

  /** `since`: what happened before is not answered any more. */
  async setPaused(name: string, paused: { readonly at: Date; readonly by: string } | undefined, since: Date): Promise<void> {
    await this.manager.query('UPDATE bauta.trigger SET paused_at = $3, paused_by = $4, since = $5 WHERE workspace_id = $1 AND name = $2', [
      this.workspaceId,
      name,
      paused?.at ?? null,
      paused?.by ?? null,
      since,
    ]);
  }

  /** Was it answered before? MUST be asked with the trigger locked. */
  async isAnswered(triggerId: string, digest: string): Promise<boolean> {
    const found = await this.manager.query<unknown[]>(
      'SELECT FROM bauta.trigger_event WHERE workspace_id = $1 AND trigger_id = $2 AND digest = $3',
      [this.workspaceId, triggerId, digest],
    );
    return found.length > 0;
  }

  async answer(triggerId: string, digest: string, runId: string, now: Date, expiresAt: Date | null): Promise<void> {
    await this.manager.query('DELETE FROM bauta.trigger_event WHERE workspace_id = $1 AND expires_at < $2', [this.workspaceId, now]);
    await this.manager.query(
      'INSERT INTO bauta.trigger_event (workspace_id, trigger_id, digest, run_id, expires_at) VALUES ($1, $2, $3, $4, $5)',
      [this.workspaceId, triggerId, digest, runId, expiresAt],
    );
  }

  private select(lock: string, names: readonly string[]): Promise<readonly TriggerRow[]> {
    return this.manager.query<TriggerRow[]>(
      `SELECT id, name, version, watches, paused_at AS "pausedAt" FROM bauta.trigger WHERE workspace_id = $1 AND name = ANY ($2::text[]) ${lock}`,
      [this.workspaceId, names],
    );
  }
}
