// The dataset versions that runs of the service published: until when each may be used, what it was made with, and what people were told of it.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Datasets1763700000016 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Kept when its run is about to publish; a version that people use once published_at is there, until another one takes its place.
      CREATE TABLE bauta.dataset_version (
        workspace_id uuid NOT NULL,
        run_id text NOT NULL,
        pipeline text NOT NULL,
        environment text NOT NULL,
        -- Digests of what it was made with: documents by kind and name, the source's catalogue in scope, the policy.
        documents json NOT NULL,
        catalogue_digest text NOT NULL,
        policy_digest text NOT NULL,
        -- As the intent of publication says it.
        server text,
        target text,
        version integer,
        expires_at timestamptz,
        published_at timestamptz,
        replaced_at timestamptz,
        replaced_by text,
        expiring_told_at timestamptz,
        expired_told_at timestamptz,
        -- When a look was asked for last, why the last one could not see everything, and what is not as it was.
        looked_at timestamptz,
        look_error text,
        drift json,
        PRIMARY KEY (workspace_id, run_id),
        FOREIGN KEY (workspace_id, run_id) REFERENCES bauta.run (workspace_id, id),
        FOREIGN KEY (workspace_id, replaced_by) REFERENCES bauta.run (workspace_id, id),
        CHECK (published_at IS NULL OR (server IS NOT NULL AND target IS NOT NULL AND version IS NOT NULL AND expires_at IS NOT NULL))
      );
      CREATE INDEX dataset_version_current ON bauta.dataset_version (workspace_id, server, target)
        WHERE published_at IS NOT NULL AND replaced_at IS NULL;
      CREATE INDEX dataset_version_replaced ON bauta.dataset_version (workspace_id, replaced_by) WHERE replaced_by IS NOT NULL;

      ALTER TABLE bauta.dataset_version ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.dataset_version TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, INSERT, UPDATE (documents, catalogue_digest, policy_digest, server, target, version, expires_at, published_at, replaced_at,
        replaced_by, expiring_told_at, expired_told_at, looked_at, look_error, drift) ON bauta.dataset_version TO bauta_service;

      -- Whom nobody was told of, in any workspace, ids only. A version that is meant for a short time is not told before half of it is over.
      CREATE FUNCTION bauta.find_expiring_datasets(at timestamptz, days integer) RETURNS TABLE (workspace_id uuid, run_id text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT d.workspace_id, d.run_id FROM bauta.dataset_version d
        WHERE d.published_at IS NOT NULL AND d.replaced_at IS NULL AND CASE WHEN d.expires_at <= at THEN d.expired_told_at IS NULL
          ELSE d.expiring_told_at IS NULL
            AND at >= greatest(d.expires_at - days * interval '24 hours', d.published_at + (d.expires_at - d.published_at) / 2) END
        ORDER BY d.expires_at LIMIT 200 $$;
      -- What was not looked at since then.
      CREATE FUNCTION bauta.find_unlooked_datasets(since timestamptz) RETURNS TABLE (workspace_id uuid, run_id text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT d.workspace_id, d.run_id FROM bauta.dataset_version d
        WHERE d.published_at IS NOT NULL AND d.replaced_at IS NULL AND coalesce(d.looked_at, d.published_at) <= since
        ORDER BY coalesce(d.looked_at, d.published_at) LIMIT 200 $$;
      REVOKE ALL ON FUNCTION bauta.find_expiring_datasets(timestamptz, integer), bauta.find_unlooked_datasets(timestamptz) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION bauta.find_expiring_datasets(timestamptz, integer), bauta.find_unlooked_datasets(timestamptz) TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
