// Documents of a workspace: versions are added, never changed.
import type { EntityManager } from 'typeorm';

import { DocumentEntity } from './document.entity.js';
import { PersonEntity } from './person.entity.js';

export interface DocumentKey {
  readonly kind: string;
  readonly name: string;
}

export interface DocumentVersion extends DocumentKey {
  readonly version: number;
  readonly digest: string;
  readonly author: string;
  readonly appliedAt: string;
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
    const rows = await this.manager
      .createQueryBuilder(DocumentEntity, 'd')
      .distinctOn(['d.name'])
      .where('d.workspaceId = :workspaceId AND d.kind = :kind AND d.name > :after', { workspaceId: this.workspaceId, kind, after })
      .orderBy({ 'd.name': 'ASC', 'd.version': 'DESC' })
      .limit(limit)
      .getMany();
    return this.toVersions(rows);
  }

  /** The latest version, or the one asked for. */
  async find({ kind, name }: DocumentKey, version?: number): Promise<DocumentVersion | undefined> {
    const where = { workspaceId: this.workspaceId, kind, name, ...(version === undefined ? {} : { version }) };
    const row = await this.manager.findOne(DocumentEntity, { where, order: { version: 'DESC' } });
    return row ? (await this.toVersions([row]))[0] : undefined;
  }

  /** Newest first. */
  async versions({ kind, name }: DocumentKey, limit: number, before = 2 ** 31 - 1): Promise<readonly DocumentVersion[]> {
    const rows = await this.manager
      .createQueryBuilder(DocumentEntity, 'd')
      .where('d.workspaceId = :workspaceId AND d.kind = :kind AND d.name = :name AND d.version < :before', {
        ...{ workspaceId: this.workspaceId, kind, name, before },
      })
      .orderBy('d.version', 'DESC')
      .limit(limit)
      .getMany();
    return this.toVersions(rows);
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

  private async toVersions(rows: readonly DocumentEntity[]): Promise<readonly DocumentVersion[]> {
    const ids = [...new Set(rows.map(({ authorId }) => authorId))];
    const people = ids.length > 0 ? await this.manager.find(PersonEntity, { where: ids.map((id) => ({ id })) }) : [];
    const names = new Map(people.map(({ id, name }) => [id, name]));
    return rows.map(({ kind, name, version, digest, authorId, appliedAt, written }) => ({
      ...{ kind, name, version, digest, author: names.get(authorId) ?? authorId, appliedAt: appliedAt.toISOString() },
      document: written,
    }));
  }
}
