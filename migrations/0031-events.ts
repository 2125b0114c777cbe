// Up to where the log of each workspace has been published as events, and which process does it. What is published is the log itself, which stands
// already: there is no second outbox, only a place in it.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Events1763700000031 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE bauta.event_cursor (
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        stream text NOT NULL CHECK (stream IN ('audit', 'lineage', 'usage')),
        -- The next entry: everything before it was taken by the other side. A log that is not there yet: the first of the chain.
        log text NOT NULL,
        position bigint NOT NULL CHECK (position >= 0),
        published bigint NOT NULL DEFAULT 0,
        advanced_at timestamptz,
        -- Since when it does not get on, and why, as a code of docs/errors.md.
        failing_since timestamptz,
        failure text,
        PRIMARY KEY (workspace_id, stream)
      );
      ALTER TABLE bauta.event_cursor ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.event_cursor TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, INSERT, UPDATE (log, position, published, advanced_at, failing_since, failure) ON bauta.event_cursor TO bauta_service;

      -- Of the installation: whoever has it publishes, until it ends.
      CREATE TABLE bauta.event_lease (
        single boolean PRIMARY KEY DEFAULT true CHECK (single),
        holder uuid NOT NULL,
        until timestamptz NOT NULL
      );
      GRANT SELECT, INSERT, UPDATE ON bauta.event_lease TO bauta_service;

      -- Workspaces with entries that a stream has not published, and nothing of what is in them.
      CREATE FUNCTION bauta.find_unpublished(streams text[]) RETURNS TABLE (workspace_id uuid, stream text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT w.id, s.stream FROM bauta.workspace w CROSS JOIN unnest(streams) AS s (stream)
        CROSS JOIN LATERAL (SELECT c.log, c.size FROM bauta.audit_checkpoint c
          WHERE c.workspace_id = w.id ORDER BY c.log DESC, c.size DESC LIMIT 1) newest
        LEFT JOIN bauta.event_cursor e ON e.workspace_id = w.id AND e.stream = s.stream
        WHERE e.log IS DISTINCT FROM newest.log OR e.position < newest.size
        ORDER BY e.advanced_at NULLS FIRST $$;
      REVOKE ALL ON FUNCTION bauta.find_unpublished(text[]) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION bauta.find_unpublished(text[]) TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
