// Workspaces: one's own, or all of them for who is in the first one, which alone may make others. The database sees to it.
import type { EntityManager } from 'typeorm';

export interface WorkspaceView {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
}

export class WorkspaceStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  async isDefault(): Promise<boolean> {
    const [row] = await this.manager.query<{ is: boolean }[]>('SELECT bauta.is_default($1) AS is', [this.workspaceId]);
    return row?.is === true;
  }

  async list(limit: number, after = ''): Promise<readonly WorkspaceView[]> {
    const rows = await this.manager.query<{ id: string; name: string; created_at: Date }[]>(
      'SELECT id, name, created_at FROM bauta.workspace WHERE name > $1 ORDER BY name LIMIT $2',
      [after, limit],
    );
    return rows.map(({ id, name, created_at }) => ({ id, name, createdAt: created_at.toISOString() }));
  }

  /** With a one-time token for its first administrator. Undefined: there is one of that name, and somebody administers it. */
  async create(name: string, firstDigest: Uint8Array, firstExpiresAt: Date): Promise<string | undefined> {
    const [row] = await this.manager.query<{ id: string | null }[]>('SELECT bauta.create_workspace($1, $2, $3) AS id', [
      ...[name, firstDigest, firstExpiresAt],
    ]);
    return row?.id ?? undefined;
  }
}
