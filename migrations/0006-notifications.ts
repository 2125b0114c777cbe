// Notifications: what happened that somebody may want to be told of, and who was told.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Notifications1763700000006 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Written with what happened, in its transaction; gone when it is known whom to tell.
      CREATE TABLE bauta.notice (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        event json NOT NULL
      );

      CREATE TABLE bauta.notification (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        notice_id bigint NOT NULL,
        channel text NOT NULL,
        event text NOT NULL,
        subject text NOT NULL,
        message json NOT NULL,
        state text NOT NULL CHECK (state IN ('waiting', 'sent', 'repeated', 'dead')),
        attempts integer NOT NULL DEFAULT 0,
        next_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        error text,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        ended_at timestamptz,
        UNIQUE (workspace_id, notice_id, channel)
      );
      CREATE INDEX notification_due ON bauta.notification (next_at) WHERE state = 'waiting';
      CREATE INDEX notification_by_subject ON bauta.notification (workspace_id, channel, subject, created_at DESC);
      CREATE INDEX notification_by_age ON bauta.notification (workspace_id, created_at, id);

      ALTER TABLE bauta.notice ENABLE ROW LEVEL SECURITY;
      ALTER TABLE bauta.notification ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.notice TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      CREATE POLICY by_workspace ON bauta.notification TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, DELETE, INSERT (workspace_id, event) ON bauta.notice TO bauta_service;
      -- A row can only be locked by who may change a column of it.
      GRANT UPDATE (event) ON bauta.notice TO bauta_service;
      GRANT SELECT, INSERT, DELETE, UPDATE (state, attempts, next_at, error, ended_at) ON bauta.notification TO bauta_service;

      -- What waits, in every workspace: ids only.
      CREATE FUNCTION bauta.find_notices() RETURNS TABLE (workspace_id uuid, id bigint)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS
        $$ SELECT n.workspace_id, n.id FROM bauta.notice n ORDER BY n.id LIMIT 100 $$;
      CREATE FUNCTION bauta.find_due_notifications() RETURNS TABLE (workspace_id uuid, id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT n.workspace_id, n.id FROM bauta.notification n
        WHERE n.state = 'waiting' AND n.next_at <= pg_catalog.clock_timestamp() ORDER BY n.next_at LIMIT 20 $$;
      REVOKE ALL ON FUNCTION bauta.find_notices(), bauta.find_due_notifications() FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION bauta.find_notices(), bauta.find_due_notifications() TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
