// The newest checkpoint of each log that witnesses have cosigned. It stands for itself: who reads it checks the signatures, whoever wrote it here.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Cosigned1763700000041 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE bauta.audit_cosigned (
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        log text NOT NULL CHECK (log ~ '^[0-9]{4}(-[0-9]{2})?$'),
        size bigint NOT NULL CHECK (size > 0),
        note text NOT NULL,
        cosigned_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (workspace_id, log)
      );
      ALTER TABLE bauta.audit_cosigned ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.audit_cosigned TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, INSERT, UPDATE (size, note, cosigned_at) ON bauta.audit_cosigned TO bauta_service;

      -- Workspaces whose newest log has grown since, and nothing of what is in it.
      CREATE FUNCTION bauta.find_uncosigned() RETURNS TABLE (workspace_id uuid, log text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT w.id, newest.log
        FROM bauta.workspace w
        CROSS JOIN LATERAL (
          SELECT c.log, c.size FROM bauta.audit_checkpoint c WHERE c.workspace_id = w.id ORDER BY c.log COLLATE "C" DESC, c.size DESC LIMIT 1) newest
        LEFT JOIN bauta.audit_cosigned s ON s.workspace_id = w.id AND s.log = newest.log
        WHERE s.size IS NULL OR s.size < newest.size
        ORDER BY s.cosigned_at NULLS FIRST $$;
      REVOKE ALL ON FUNCTION bauta.find_uncosigned() FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION bauta.find_uncosigned() TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
