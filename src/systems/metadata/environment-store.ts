// Which environments a workspace has: those of a document, and those in which something was published without one.
import type { EntityManager } from 'typeorm';

export interface EnvironmentRow {
  readonly name: string;
  /** The latest version of its document; null: a pipeline says it all itself. */
  readonly document: {
    readonly version: number;
    readonly digest: string;
    readonly author: string;
    readonly appliedAt: Date;
    readonly erasedAt: Date | null;
  } | null;
}

type Found = { readonly name: string } & {
  [key in keyof NonNullable<EnvironmentRow['document']>]: NonNullable<EnvironmentRow['document']>[key] | null;
};

/** From one name to the next by an index, however often each is there. */
function toNames(cte: string, from: string, column: string): string {
  return `${cte} AS (
    SELECT min(${column}) AS name FROM ${from} AND ${column} > $2
    UNION ALL SELECT (SELECT min(t.${column}) FROM ${from} AND ${column} > n.name) FROM ${cte} n WHERE n.name IS NOT NULL)`;
}

export class EnvironmentStore {
  constructor(
    private readonly manager: EntityManager,
    private readonly workspaceId: string,
  ) {}

  /** By name. `only`: of these. */
  async list(limit: number, only?: readonly string[], after = ''): Promise<readonly EnvironmentRow[]> {
    const found = await this.manager.query<Found[]>(
      `WITH RECURSIVE
         ${toNames('published', 'bauta.dataset_version t WHERE t.workspace_id = $1 AND t.published_at IS NOT NULL', 'environment')},
         ${toNames('documented', `bauta.document t WHERE t.workspace_id = $1 AND t.kind = 'Environment'`, 'name')}
       SELECT n.name, d.version, d.digest, coalesce(p.name, d.author_id::text) AS author, d.applied_at AS "appliedAt", d.erased_at AS "erasedAt"
       FROM (SELECT name FROM published UNION SELECT name FROM documented) n
       LEFT JOIN LATERAL (
         SELECT * FROM bauta.document WHERE workspace_id = $1 AND kind = 'Environment' AND name = n.name ORDER BY version DESC LIMIT 1) d ON true
       LEFT JOIN bauta.person p ON p.workspace_id = $1 AND p.id = d.author_id
       WHERE n.name IS NOT NULL AND ($3::text[] IS NULL OR n.name = ANY ($3)) ORDER BY n.name LIMIT $4`,
      [this.workspaceId, after, only ?? null, limit],
    );
    return found.map(({ name, ...document }) => ({
      name,
      document: document.version === null ? null : (document as EnvironmentRow['document']),
    }));
  }
}
