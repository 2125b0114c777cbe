// Documents of a workspace: versions are added, never changed.
import type { EntityManager } from 'typeorm';

import { DocumentEntity } from './document.entity.js';

export interface DocumentKey {
  readonly kind: string;
  readonly name: string;
}

export interface DocumentVersion extends DocumentKey {
  readonly version: number;
  readonly digest: string;
  readonly author: string;
  readonly appliedAt: string;
  /** When texts were taken out of it; the digest is still that of what was applied. */
  readonly erasedAt: string | null;
  /** As it was written, without `import`. */
  readonly document: object;
}

export class DocumentStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  /** One apply at a time in a workspace, until the transaction ends: versions have no holes and diffs are true. */
  async lock(): Promise<void> {
    await this.manager.query(`SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('bauta apply ' || $1, 0))`, [
      this.workspaceId,
    ]);
  }

  /** The latest version of each, by name. */
  async list(kind: string, limit: number, after = ''): Promise<readonly DocumentVersion[]> {
    return this.select(
      `(SELECT DISTINCT ON (name) * FROM bauta.document WHERE workspace_id = $1 AND kind = $2 AND name > $3
        ORDER BY name, version DESC LIMIT $4)`,
      'ORDER BY d.name',
      [kind, after, limit],
    );
  }

  /** All versions of a kind's documents, by name, from the oldest on; a page ends with the last version of a document. */
  async history(kind: string, names: number, after = ''): Promise<readonly DocumentVersion[]> {
    return this.select(
      `(SELECT * FROM bauta.document WHERE workspace_id = $1 AND kind = $2 AND name IN (
          SELECT DISTINCT name FROM bauta.document WHERE workspace_id = $1 AND kind = $2 AND name > $3 ORDER BY name LIMIT $4))`,
      'ORDER BY d.name, d.version',
      [kind, after, names],
    );
  }

  /** The latest version, or the one asked for. */
  async find({ kind, name }: DocumentKey, version?: number): Promise<DocumentVersion | undefined> {
    const found = await this.select(
      'bauta.document',
      `WHERE d.workspace_id = $1 AND d.kind = $2 AND d.name = $3 AND ($4::integer IS NULL OR d.version = $4)
       ORDER BY d.version DESC LIMIT 1`,
      [kind, name, version ?? null],
    );
    return found[0];
  }

  /** Newest first. */
  async versions({ kind, name }: DocumentKey, limit: number, before = 2 ** 31 - 1): Promise<readonly DocumentVersion[]> {
    return this.select(
      'bauta.document',
      `WHERE d.workspace_id = $1 AND d.kind = $2 AND d.name = $3 AND d.version < $4 ORDER BY d.version DESC LIMIT $5`,
      [kind, name, before, limit],
    );
  }

  async insert(document: Pick<DocumentVersion, 'kind' | 'name' | 'version' | 'digest' | 'document'>, authorId: string): Promise<void> {
    const { document: written, ...rest } = document;
    await this.manager.insert(DocumentEntity, { ...rest, written, workspaceId: this.workspaceId, authorId });
  }

  /** Ids of who wrote these versions. */
  async authorsOf(refs: readonly (DocumentKey & { readonly version: number })[]): Promise<readonly string[]> {
    const where = refs.map(({ kind, name, version }) => ({ workspaceId: this.workspaceId, kind, name, version }));
    const found = where.length > 0 ? await this.manager.find(DocumentEntity, { where, select: { authorId: true } }) : [];
    return [...new Set(found.map(({ authorId }) => authorId))];
  }

  /** With the names of who wrote them, in one query. */
  private async select(from: string, rest: string, parameters: readonly unknown[]): Promise<readonly DocumentVersion[]> {
    const rows = await this.manager.query<
      (Omit<DocumentVersion, 'appliedAt' | 'erasedAt'> & { readonly at: Date; readonly erased: Date | null })[]
    >(
      `SELECT d.kind, d.name, d.version, d.digest, coalesce(p.name, d.author_id::text) AS author, d.applied_at AS at, d.erased_at AS erased,
         d.written AS document
       FROM ${from} d LEFT JOIN bauta.person p ON p.workspace_id = d.workspace_id AND p.id = d.author_id ${rest}`,
      [this.workspaceId, ...parameters],
    );
    return rows.map(({ at, erased, ...version }) => ({
      ...version,
      ...{ appliedAt: at.toISOString(), erasedAt: erased?.toISOString() ?? null },
    }));
  }
}
