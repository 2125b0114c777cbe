// What the log is watched for: how far it was read, what was counted of it, and what was found to be odd; and incidents, what is done about each, and the
// files that came of it.
import type { MigrationInterface, QueryRunner } from 'typeorm';

const byWorkspace = (table: string, rights: string): string => `
  ALTER TABLE bauta.${table} ENABLE ROW LEVEL SECURITY;
  CREATE POLICY by_workspace ON bauta.${table} TO bauta_service
    USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
  GRANT ${rights} ON bauta.${table} TO bauta_service;`;

const anomalies = `
  CREATE TABLE bauta.anomaly_cursor (
    workspace_id uuid PRIMARY KEY REFERENCES bauta.workspace,
    -- The next entry that is to be read.
    log text NOT NULL,
    position bigint NOT NULL,
    -- Of the first entry that was read.
    started_at timestamptz,
    -- What began before is learned from and not told.
    since timestamptz NOT NULL DEFAULT clock_timestamp() - interval '1 day'
  );
  CREATE TABLE bauta.anomaly_count (
    workspace_id uuid NOT NULL REFERENCES bauta.workspace,
    rule text NOT NULL,
    subject text NOT NULL,
    environment text NOT NULL,
    pipeline text NOT NULL,
    bucket timestamptz NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (workspace_id, rule, subject, environment, pipeline, bucket)
  );
  CREATE TABLE bauta.anomaly (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id uuid NOT NULL REFERENCES bauta.workspace,
    rule text NOT NULL,
    subject text NOT NULL,
    environment text NOT NULL,
    pipeline text NOT NULL,
    -- Where the stretch of time begins that it is about.
    window_at timestamptz NOT NULL,
    amount bigint NOT NULL,
    expected bigint NOT NULL,
    found_at timestamptz NOT NULL,
    PRIMARY KEY (workspace_id, id),
    -- Once for each cause and stretch, whoever found it.
    UNIQUE (workspace_id, rule, subject, environment, pipeline, window_at)
  );
  CREATE INDEX anomaly_newest ON bauta.anomaly (workspace_id, found_at DESC, id DESC);
  ${byWorkspace('anomaly_cursor', 'SELECT, INSERT, UPDATE (log, position, started_at)')}
  ${byWorkspace('anomaly_count', 'SELECT, INSERT, UPDATE (amount), DELETE')}
  ${byWorkspace('anomaly', 'SELECT, INSERT')}

  -- Workspaces whose log has entries that were not read for it.
  CREATE FUNCTION bauta.find_unwatched() RETURNS TABLE (workspace_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT w.id FROM bauta.workspace w
    CROSS JOIN LATERAL (
      SELECT c.log, c.size FROM bauta.audit_checkpoint c WHERE c.workspace_id = w.id ORDER BY c.log COLLATE "C" DESC, c.size DESC LIMIT 1) newest
    LEFT JOIN bauta.anomaly_cursor a ON a.workspace_id = w.id
    WHERE a.workspace_id IS NULL OR a.log <> newest.log OR a.position < newest.size $$;
  -- Of every workspace: schedules of which nothing was decided although they were due.
  CREATE FUNCTION bauta.find_overdue_schedules(due_before timestamptz)
    RETURNS TABLE (workspace_id uuid, name text, pipeline text, due_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT s.workspace_id, s.name, s.pipeline, s.next_due_at FROM bauta.schedule s
    WHERE s.paused_at IS NULL AND s.next_due_at <= due_before
      -- One that waits for its last run to end was not forgotten.
      AND (s.overlap OR NOT EXISTS (
        SELECT FROM bauta.run r WHERE r.workspace_id = s.workspace_id AND r.pipeline = s.pipeline AND r.ended_at IS NULL))
    LIMIT 1000 $$;
  REVOKE ALL ON FUNCTION bauta.find_unwatched(), bauta.find_overdue_schedules(timestamptz) FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION bauta.find_unwatched(), bauta.find_overdue_schedules(timestamptz) TO bauta_service;`;

const incidents = `
  CREATE TABLE bauta.incident (
    workspace_id uuid NOT NULL REFERENCES bauta.workspace,
    id text NOT NULL CHECK (id ~ '^[0-9a-z]{16}$'),
    rule text NOT NULL,
    environment text NOT NULL,
    pipeline text NOT NULL,
    playbook text NOT NULL,
    -- 0: the one that came with the release.
    playbook_version integer NOT NULL,
    opened_at timestamptz NOT NULL,
    -- NULL: an alert or a rule.
    opened_by uuid,
    -- In whose name workers are asked: who opened it, or who applied the document that did.
    answered_by uuid NOT NULL,
    anomaly_id uuid,
    -- A commitment: the text can be erased.
    reason text,
    evidence_from timestamptz NOT NULL,
    -- Nothing new is provisioned from then on until it is lifted.
    frozen_at timestamptz,
    closed_at timestamptz,
    closed_by uuid,
    outcome text CHECK (outcome IN ('resolved', 'false-alarm')),
    close_reason text,
    -- Who agreed that it may be lifted; it takes somebody who did not close it.
    lift_approved_by uuid,
    lifted_at timestamptz,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, opened_by) REFERENCES bauta.person (workspace_id, id),
    FOREIGN KEY (workspace_id, answered_by) REFERENCES bauta.person (workspace_id, id),
    FOREIGN KEY (workspace_id, closed_by) REFERENCES bauta.person (workspace_id, id),
    FOREIGN KEY (workspace_id, lift_approved_by) REFERENCES bauta.person (workspace_id, id),
    CHECK ((closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL) = (outcome IS NULL) AND (closed_at IS NULL) = (close_reason IS NULL)),
    CHECK (lifted_at IS NULL OR closed_by IS NOT NULL AND lift_approved_by IS NOT NULL AND closed_by <> lift_approved_by)
  );
  -- The same alert twice is one incident.
  CREATE UNIQUE INDEX incident_open ON bauta.incident (workspace_id, rule, environment, pipeline) WHERE closed_at IS NULL;
  CREATE INDEX incident_frozen ON bauta.incident (workspace_id, environment, pipeline) WHERE frozen_at IS NOT NULL AND lifted_at IS NULL;
  CREATE INDEX incident_newest ON bauta.incident (workspace_id, opened_at DESC, id DESC);
  CREATE TABLE bauta.incident_step (
    workspace_id uuid NOT NULL,
    incident_id text NOT NULL,
    position integer NOT NULL,
    step text NOT NULL,
    -- 'asked': somebody else is at it.
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'asked', 'done', 'skipped', 'failed')),
    tries integer NOT NULL DEFAULT 0,
    errand text,
    error text,
    -- Counts, ids and digests.
    detail json,
    started_at timestamptz,
    ended_at timestamptz CHECK ((ended_at IS NOT NULL) = (state IN ('done', 'skipped', 'failed'))),
    PRIMARY KEY (workspace_id, incident_id, position),
    FOREIGN KEY (workspace_id, incident_id) REFERENCES bauta.incident
  );
  CREATE INDEX incident_step_open ON bauta.incident_step (workspace_id, incident_id) WHERE ended_at IS NULL;
  CREATE TABLE bauta.incident_file (
    workspace_id uuid NOT NULL,
    incident_id text NOT NULL,
    name text NOT NULL,
    media_type text NOT NULL,
    bytes bytea NOT NULL,
    digest text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (workspace_id, incident_id, name),
    FOREIGN KEY (workspace_id, incident_id) REFERENCES bauta.incident
  );
  ${byWorkspace('incident', 'SELECT, INSERT, UPDATE (frozen_at, closed_at, closed_by, outcome, close_reason, lift_approved_by, lifted_at)')}
  ${byWorkspace('incident_step', 'SELECT, INSERT, UPDATE (state, tries, errand, error, detail, started_at, ended_at)')}
  -- Written once: whoever has the service's role can neither change nor take away what was collected.
  ${byWorkspace('incident_file', 'SELECT, INSERT')}
  -- An invitation may be ended before its time.
  GRANT UPDATE (expires_at) ON bauta.agent_invite TO bauta_service;

  -- Of every workspace: incidents of which not every step has ended.
  CREATE FUNCTION bauta.find_incidents_under_way() RETURNS TABLE (workspace_id uuid, id text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT DISTINCT s.workspace_id, s.incident_id FROM bauta.incident_step s WHERE s.ended_at IS NULL ORDER BY 2 LIMIT 200 $$;
  REVOKE ALL ON FUNCTION bauta.find_incidents_under_way() FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION bauta.find_incidents_under_way() TO bauta_service;`;

export class Anomalies1763700000047 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(anomalies);
    await runner.query(incidents);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
