// Schedules and triggers. Schedules: how far each is decided, when it is due next, and whether somebody paused it. What it says is its document.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Schedules1763700000005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE bauta.run ADD COLUMN cause json;
      CREATE INDEX run_not_ended ON bauta.run (workspace_id, pipeline) WHERE ended_at IS NULL;

      CREATE TABLE bauta.schedule (
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        name text NOT NULL,
        version integer NOT NULL,
        pipeline text NOT NULL,
        overlap boolean NOT NULL,
        decided_to timestamptz NOT NULL,
        next_due_at timestamptz,
        last_run_id text,
        catalogue_digest text,
        paused_at timestamptz,
        paused_by uuid,
        PRIMARY KEY (workspace_id, name),
        FOREIGN KEY (workspace_id, last_run_id) REFERENCES bauta.run (workspace_id, id),
        FOREIGN KEY (workspace_id, paused_by) REFERENCES bauta.person (workspace_id, id),
        CHECK (paused_at IS NULL OR next_due_at IS NULL)
      );
      CREATE INDEX schedule_due ON bauta.schedule (next_due_at) WHERE next_due_at IS NOT NULL;

      ALTER TABLE bauta.schedule ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.schedule TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, INSERT, UPDATE (version, pipeline, overlap, decided_to, next_due_at, last_run_id, catalogue_digest, paused_at, paused_by)
        ON bauta.schedule TO bauta_service;

      CREATE TABLE bauta.trigger (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        name text NOT NULL,
        version integer NOT NULL,
        watches text,
        since timestamptz NOT NULL,
        paused_at timestamptz,
        paused_by uuid,
        UNIQUE (workspace_id, name),
        UNIQUE (workspace_id, id),
        FOREIGN KEY (workspace_id, paused_by) REFERENCES bauta.person (workspace_id, id)
      );
      CREATE INDEX run_published ON bauta.run (workspace_id, pipeline, ended_at) WHERE state = 'published';

      -- What a trigger has answered already: the digest of a delivery, or the id of a run. Without an end: nothing else tells how old it is.
      CREATE TABLE bauta.trigger_event (
        workspace_id uuid NOT NULL,
        trigger_id uuid NOT NULL,
        digest text NOT NULL,
        run_id text NOT NULL,
        expires_at timestamptz,
        PRIMARY KEY (trigger_id, digest),
        FOREIGN KEY (workspace_id, trigger_id) REFERENCES bauta.trigger (workspace_id, id)
      );
      CREATE INDEX trigger_event_expired ON bauta.trigger_event (expires_at);

      ALTER TABLE bauta.trigger ENABLE ROW LEVEL SECURITY;
      ALTER TABLE bauta.trigger_event ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.trigger TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      CREATE POLICY by_workspace ON bauta.trigger_event TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, INSERT, UPDATE (version, watches, since, paused_at, paused_by) ON bauta.trigger TO bauta_service;
      GRANT SELECT, INSERT, DELETE ON bauta.trigger_event TO bauta_service;

      -- A delivery is of whichever workspace has the trigger; its name is not known before its signature is checked.
      CREATE FUNCTION bauta.find_trigger(wanted uuid) RETURNS TABLE (workspace_id uuid, name text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT t.workspace_id, t.name FROM bauta.trigger t WHERE t.id = wanted AND t.watches IS NULL $$;

      -- Datasets that a trigger waits for and has not answered. Of the last three days: what was published longer ago nobody waits for any more.
      CREATE FUNCTION bauta.find_watched_runs(at timestamptz, at_most integer) RETURNS TABLE (workspace_id uuid, name text, run_id text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT t.workspace_id, t.name, r.id FROM bauta.trigger t
        JOIN bauta.run r ON r.workspace_id = t.workspace_id AND r.pipeline = t.watches AND r.state = 'published'
          AND r.ended_at > greatest(t.since, at - interval '72 hours')
        WHERE t.watches IS NOT NULL AND t.paused_at IS NULL
          AND NOT EXISTS (SELECT FROM bauta.trigger_event e WHERE e.trigger_id = t.id AND e.digest = r.id)
        LIMIT at_most $$;
      REVOKE ALL ON FUNCTION bauta.find_trigger(uuid), bauta.find_watched_runs(timestamptz, integer) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION bauta.find_trigger(uuid), bauta.find_watched_runs(timestamptz, integer) TO bauta_service;

      -- What is due in any workspace, names only. One that must not overlap is not asked about while a run of its pipeline has not ended.
      CREATE FUNCTION bauta.find_due_schedules(at timestamptz, at_most integer) RETURNS TABLE (workspace_id uuid, name text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT s.workspace_id, s.name FROM bauta.schedule s
        WHERE s.next_due_at <= at
          AND (s.overlap OR NOT EXISTS (
            SELECT FROM bauta.run r WHERE r.workspace_id = s.workspace_id AND r.pipeline = s.pipeline AND r.ended_at IS NULL))
        ORDER BY s.next_due_at LIMIT at_most $$;
      REVOKE ALL ON FUNCTION bauta.find_due_schedules(timestamptz, integer) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION bauta.find_due_schedules(timestamptz, integer) TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
