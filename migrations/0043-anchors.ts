// Where checkpoints of a log were put, the newest of each place. The place itself is what is believed; this is what is asked for, and counted.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Anchors1763700000043 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE bauta.audit_anchor (
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        log text NOT NULL CHECK (log ~ '^[0-9]{4}(-[0-9]{2})?$'),
        place text NOT NULL,
        size bigint NOT NULL CHECK (size > 0),
        note text NOT NULL,
        locked_until timestamptz,
        anchored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (workspace_id, log, place)
      );
      ALTER TABLE bauta.audit_anchor ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.audit_anchor TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, INSERT, UPDATE (size, note, locked_until, anchored_at) ON bauta.audit_anchor TO bauta_service;

      -- Workspaces whose newest log has grown since, with the places that have not seen that; and nothing of what is in it.
      CREATE FUNCTION bauta.find_unanchored(places text[]) RETURNS TABLE (place text, workspace_id uuid, log text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT p.place, w.id, newest.log
        FROM bauta.workspace w
        CROSS JOIN unnest(places) AS p (place)
        CROSS JOIN LATERAL (
          SELECT c.log, c.size FROM bauta.audit_checkpoint c WHERE c.workspace_id = w.id ORDER BY c.log COLLATE "C" DESC, c.size DESC LIMIT 1) newest
        LEFT JOIN bauta.audit_anchor a ON a.workspace_id = w.id AND a.log = newest.log AND a.place = p.place
        WHERE a.size IS NULL OR a.size < newest.size
        ORDER BY p.place, a.anchored_at NULLS FIRST $$;
      REVOKE ALL ON FUNCTION bauta.find_unanchored(text[]) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION bauta.find_unanchored(text[]) TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
