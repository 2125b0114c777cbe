// The life of a dataset version: that it was dropped and under which entry of the log, what holds it, who revoked it, and whether its rows are still
// those that were published.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Life1763700000024 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE bauta.dataset_version
        ADD COLUMN dropped_at timestamptz,
        -- Under which id the log has the drop and its attestation; null: it was gone when somebody came to drop it.
        ADD COLUMN dropped_as text,
        ADD COLUMN drop_asked_at timestamptz,
        -- Why it could not be dropped, as a code.
        ADD COLUMN drop_error text,
        ADD COLUMN revoked_at timestamptz,
        -- When a look at its rows was asked for last, why that could not see everything, which tables differ, and who reads it.
        ADD COLUMN rows_looked_at timestamptz,
        ADD COLUMN rows_error text,
        ADD COLUMN rows_drift json,
        ADD COLUMN quarantined_at timestamptz,
        ADD COLUMN readers json;
      GRANT UPDATE (dropped_at, dropped_as, drop_asked_at, drop_error, revoked_at, rows_looked_at, rows_error, rows_drift, quarantined_at, readers)
        ON bauta.dataset_version TO bauta_service;

      -- Why a version has to stay, and until when. The reason is a text of the log, by its commitment, so that it can be erased.
      CREATE TABLE bauta.hold (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        workspace_id uuid NOT NULL,
        run_id text NOT NULL,
        reason text NOT NULL,
        placed_by uuid NOT NULL,
        placed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        until timestamptz NOT NULL,
        lifted_at timestamptz,
        lifted_by uuid,
        FOREIGN KEY (workspace_id, run_id) REFERENCES bauta.dataset_version (workspace_id, run_id),
        FOREIGN KEY (workspace_id, placed_by) REFERENCES bauta.person (workspace_id, id),
        FOREIGN KEY (workspace_id, lifted_by) REFERENCES bauta.person (workspace_id, id),
        CHECK (lifted_at IS NULL OR lifted_by IS NOT NULL)
      );
      CREATE UNIQUE INDEX hold_standing ON bauta.hold (workspace_id, run_id) WHERE lifted_at IS NULL;
      ALTER TABLE bauta.hold ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.hold TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, INSERT, UPDATE (until, reason, placed_by, placed_at, lifted_at, lifted_by) ON bauta.hold TO bauta_service;

      -- Which kinds of errand there are is for the program to say.
      ALTER TABLE bauta.errand DROP CONSTRAINT IF EXISTS errand_kind_check, ADD COLUMN IF NOT EXISTS wanted json;

      CREATE OR REPLACE FUNCTION bauta.find_expiring_datasets(at timestamptz, days integer) RETURNS TABLE (workspace_id uuid, run_id text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT d.workspace_id, d.run_id FROM bauta.dataset_version d
        WHERE d.published_at IS NOT NULL AND d.replaced_at IS NULL AND d.dropped_at IS NULL AND CASE WHEN d.expires_at <= at THEN d.expired_told_at IS NULL
          ELSE d.expiring_told_at IS NULL
            AND at >= greatest(d.expires_at - days * interval '24 hours', d.published_at + (d.expires_at - d.published_at) / 2) END
        ORDER BY d.expires_at LIMIT 200 $$;
      CREATE OR REPLACE FUNCTION bauta.find_unlooked_datasets(since timestamptz) RETURNS TABLE (workspace_id uuid, run_id text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT d.workspace_id, d.run_id FROM bauta.dataset_version d
        WHERE d.published_at IS NOT NULL AND d.replaced_at IS NULL AND d.dropped_at IS NULL AND coalesce(d.looked_at, d.published_at) <= since
        ORDER BY coalesce(d.looked_at, d.published_at) LIMIT 200 $$;
      -- What has expired and is not dropped, current or not, and was not asked for since then.
      CREATE FUNCTION bauta.find_expired_datasets(at timestamptz, since timestamptz) RETURNS TABLE (workspace_id uuid, run_id text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT d.workspace_id, d.run_id FROM bauta.dataset_version d
        WHERE d.published_at IS NOT NULL AND d.dropped_at IS NULL AND d.expires_at <= at AND (d.drop_asked_at IS NULL OR d.drop_asked_at <= since)
        ORDER BY d.drop_asked_at NULLS FIRST LIMIT 200 $$;
      -- Whose rows were not looked at since then.
      CREATE FUNCTION bauta.find_unread_datasets(since timestamptz) RETURNS TABLE (workspace_id uuid, run_id text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT d.workspace_id, d.run_id FROM bauta.dataset_version d
        WHERE d.published_at IS NOT NULL AND d.replaced_at IS NULL AND d.dropped_at IS NULL AND coalesce(d.rows_looked_at, d.published_at) <= since
        ORDER BY coalesce(d.rows_looked_at, d.published_at) LIMIT 200 $$;
      REVOKE ALL ON FUNCTION bauta.find_expired_datasets(timestamptz, timestamptz), bauta.find_unread_datasets(timestamptz) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION bauta.find_expired_datasets(timestamptz, timestamptz), bauta.find_unread_datasets(timestamptz) TO bauta_service;
      CREATE INDEX dataset_version_undropped ON bauta.dataset_version (expires_at) WHERE published_at IS NOT NULL AND dropped_at IS NULL;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
