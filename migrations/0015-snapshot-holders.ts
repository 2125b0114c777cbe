// Who holds the snapshot of a run that is being read, so that another worker finds it when the first is gone; and which runs can be shared.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class SnapshotHolders1763700000015 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE bauta.snapshot_holder (
        id uuid PRIMARY KEY,
        workspace_id uuid NOT NULL,
        run_id text NOT NULL,
        -- Null: a process that does nothing else.
        worker_id uuid,
        moment text NOT NULL,
        snapshot text NOT NULL,
        backend text NOT NULL,
        opened_at_ms bigint NOT NULL,
        since timestamptz NOT NULL DEFAULT clock_timestamp(),
        lease_until timestamptz NOT NULL,
        FOREIGN KEY (workspace_id, run_id) REFERENCES bauta.run (workspace_id, id)
      );
      CREATE INDEX snapshot_holder_run ON bauta.snapshot_holder (run_id);
      ALTER TABLE bauta.snapshot_holder ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.snapshot_holder TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, INSERT, DELETE, UPDATE (lease_until) ON bauta.snapshot_holder TO bauta_service;

      ALTER TABLE bauta.run ADD COLUMN open_ranges integer NOT NULL DEFAULT 0;
      GRANT UPDATE (open_ranges) ON bauta.run TO bauta_service;

      -- Of every workspace, because they may deliver to one server: what they left there is not to be taken for that of a dead run.
      CREATE FUNCTION bauta.find_held_runs() RETURNS TABLE (id text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT DISTINCT h.run_id FROM bauta.snapshot_holder h WHERE h.lease_until > pg_catalog.clock_timestamp() $$;

      -- The run with the most ranges that nobody has loaded, of those that a worker of this pool may touch and does not lead.
      CREATE FUNCTION bauta.find_shared_run(pool text[], asking uuid, at_least integer) RETURNS TABLE (workspace_id uuid, id text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT r.workspace_id, r.id FROM bauta.run r
        WHERE r.state = 'extracting' AND r.open_ranges >= at_least AND r.tags <@ pool AND r.worker_id IS NOT NULL AND r.worker_id <> asking
          AND r.cancel_requested_at IS NULL AND r.pause_requested_at IS NULL
        ORDER BY r.open_ranges DESC, r.id LIMIT 1 $$;

      REVOKE ALL ON FUNCTION bauta.find_held_runs(), bauta.find_shared_run(text[], uuid, integer) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION bauta.find_held_runs(), bauta.find_shared_run(text[], uuid, integer) TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
