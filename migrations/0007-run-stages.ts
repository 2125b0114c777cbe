// Runs in more detail: what each stage did and said, pauses, deadlines, priorities, the tags that a run touches and the source that it reads.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RunStages1763700000007 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Of runs from before nobody knows what they touch: they wait for a worker that may touch everything.
      ALTER TABLE bauta.run
        ADD COLUMN moved_bytes bigint NOT NULL DEFAULT 0,
        ADD COLUMN source text NOT NULL DEFAULT '',
        ADD COLUMN tags text[] NOT NULL DEFAULT '{pii,pci,phi,secret,quasi}',
        ADD COLUMN priority smallint NOT NULL DEFAULT 5 CHECK (priority BETWEEN 0 AND 9),
        ADD COLUMN not_before timestamptz,
        ADD COLUMN deadline_at timestamptz,
        ADD COLUMN late_at timestamptz,
        ADD COLUMN pause_requested_at timestamptz,
        ADD COLUMN retries integer NOT NULL DEFAULT 0,
        ADD COLUMN abandoned boolean NOT NULL DEFAULT false,
        ADD COLUMN rerun_of text;
      ALTER TABLE bauta.run ADD FOREIGN KEY (workspace_id, rerun_of) REFERENCES bauta.run (workspace_id, id);
      ALTER TABLE bauta.run_event ADD COLUMN rows bigint, ADD COLUMN bytes bigint;
      ALTER TABLE bauta.worker ADD COLUMN locks_as text NOT NULL DEFAULT '', ADD COLUMN pool text[] NOT NULL DEFAULT '{}';

      CREATE INDEX run_queued ON bauta.run (created_at) WHERE state = 'queued';
      CREATE INDEX run_reading ON bauta.run (source) WHERE worker_id IS NOT NULL;
      CREATE INDEX run_due ON bauta.run (deadline_at) WHERE deadline_at IS NOT NULL AND late_at IS NULL AND ended_at IS NULL;

      CREATE TABLE bauta.run_line (
        workspace_id uuid NOT NULL,
        run_id text NOT NULL,
        seq bigint GENERATED ALWAYS AS IDENTITY,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        attempt integer NOT NULL,
        state text NOT NULL,
        text text NOT NULL,
        PRIMARY KEY (run_id, seq),
        FOREIGN KEY (workspace_id, run_id) REFERENCES bauta.run (workspace_id, id)
      );
      ALTER TABLE bauta.run_line ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.run_line TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());

      GRANT UPDATE (moved_bytes, tags, not_before, late_at, pause_requested_at, retries, abandoned) ON bauta.run TO bauta_service;
      GRANT UPDATE (locks_as, pool) ON bauta.worker TO bauta_service;
      GRANT SELECT, INSERT ON bauta.run_line TO bauta_service;
    `);
    await runner.query(lookups);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}

/** What is looked for in every workspace at once: ids, and nothing else of a run. */
const lookups = `
  -- The run that a worker of this pool shall do next. Five minutes of waiting count as much as one step of priority, so that nobody starves.
  CREATE FUNCTION bauta.find_next_run(pool text[], per_source integer) RETURNS TABLE (workspace_id uuid, id text, tags text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT r.workspace_id, r.id, r.tags FROM bauta.run r
    WHERE r.state = 'queued' AND r.tags <@ pool AND (r.not_before IS NULL OR r.not_before <= pg_catalog.clock_timestamp())
      AND (SELECT pg_catalog.count(*) FROM bauta.run o WHERE o.worker_id IS NOT NULL AND o.source = r.source) < per_source
    ORDER BY r.priority + pg_catalog.floor(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - r.created_at) / 300) DESC, r.created_at, r.id
    LIMIT 1 $$;

  CREATE FUNCTION bauta.find_late_runs() RETURNS TABLE (workspace_id uuid, id text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT r.workspace_id, r.id FROM bauta.run r
    WHERE r.deadline_at < pg_catalog.clock_timestamp() AND r.deadline_at IS NOT NULL AND r.late_at IS NULL AND r.ended_at IS NULL $$;

  REVOKE ALL ON FUNCTION bauta.find_next_run(text[], integer), bauta.find_late_runs() FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION bauta.find_next_run(text[], integer), bauta.find_late_runs() TO bauta_service;
`;
