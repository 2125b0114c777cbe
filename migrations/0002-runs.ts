// Runs: what was asked for, where it stands, who works on it; workers with their heartbeats; sources that were seen.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Runs1763700000002 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE bauta.worker (
        id uuid PRIMARY KEY,
        started_at timestamptz NOT NULL DEFAULT now(),
        heartbeat_at timestamptz NOT NULL DEFAULT clock_timestamp()
      );

      CREATE TABLE bauta.run (
        id text PRIMARY KEY,
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        pipeline text NOT NULL,
        documents json NOT NULL,
        state text NOT NULL DEFAULT 'queued',
        attempt integer NOT NULL DEFAULT 1,
        requested_by uuid,
        due_at timestamptz,
        worker_id uuid,
        cancel_requested_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT now(),
        started_at timestamptz,
        ended_at timestamptz,
        moved_rows bigint NOT NULL DEFAULT 0,
        summary json,
        UNIQUE (workspace_id, pipeline, due_at),
        UNIQUE (workspace_id, id),
        FOREIGN KEY (workspace_id, requested_by) REFERENCES bauta.person (workspace_id, id)
      );
      CREATE INDEX run_by_worker ON bauta.run (worker_id) WHERE worker_id IS NOT NULL;

      CREATE TABLE bauta.run_event (
        workspace_id uuid NOT NULL,
        run_id text NOT NULL,
        seq integer NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        state text NOT NULL,
        attempt integer NOT NULL,
        worker_id uuid,
        PRIMARY KEY (run_id, seq),
        FOREIGN KEY (workspace_id, run_id) REFERENCES bauta.run (workspace_id, id)
      );

      -- Of the whole installation: a database that was read as a source by anybody is a target for nobody.
      CREATE TABLE bauta.source_seen (
        system_identifier text NOT NULL,
        address text NOT NULL,
        database text NOT NULL,
        PRIMARY KEY (system_identifier, address, database)
      );

      ALTER TABLE bauta.run ENABLE ROW LEVEL SECURITY;
      ALTER TABLE bauta.run_event ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.run TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      CREATE POLICY by_workspace ON bauta.run_event TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());

      GRANT SELECT, INSERT,
        UPDATE (state, attempt, worker_id, cancel_requested_at, started_at, ended_at, moved_rows, summary) ON bauta.run TO bauta_service;
      GRANT SELECT, INSERT ON bauta.run_event, bauta.source_seen TO bauta_service;
      GRANT SELECT, INSERT, DELETE, UPDATE (heartbeat_at) ON bauta.worker TO bauta_service;

      -- Runs that nobody works on though somebody should, in every workspace: those of workers that are silent, and of the asking one those
      -- that it does not have.
      CREATE FUNCTION bauta.find_abandoned(silent_ms integer, asking uuid, has text[]) RETURNS TABLE (workspace_id uuid, id text, worker_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT r.workspace_id, r.id, r.worker_id FROM bauta.run r LEFT JOIN bauta.worker w ON w.id = r.worker_id
        WHERE r.worker_id IS NOT NULL
          AND (w.id IS NULL OR w.heartbeat_at < pg_catalog.clock_timestamp() - silent_ms * interval '1 millisecond'
            OR (r.worker_id = asking AND r.id <> ALL (has))) $$;
      REVOKE ALL ON FUNCTION bauta.find_abandoned(integer, uuid, text[]) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION bauta.find_abandoned(integer, uuid, text[]) TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
