// What goes past a gate, and what takes its yes back: break-glass with its uses and its review; the deployments that stand by a decision, what may have
// changed about them, and the decisions that were flipped; and evidence that was withdrawn.
import type { MigrationInterface, QueryRunner } from 'typeorm';

const byWorkspace = (table: string, rights: string): string => `
  ALTER TABLE bauta.${table} ENABLE ROW LEVEL SECURITY;
  CREATE POLICY by_workspace ON bauta.${table} TO bauta_service
    USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
  GRANT ${rights} ON bauta.${table} TO bauta_service;`;

const glass = `
  CREATE TABLE bauta.breakglass (
    workspace_id uuid NOT NULL REFERENCES bauta.workspace,
    id uuid NOT NULL,
    -- By which its entry is found in the log.
    key uuid NOT NULL UNIQUE,
    gate text NOT NULL,
    environment text NOT NULL,
    service text NOT NULL,
    commit text NOT NULL,
    -- A commitment: the text can be erased.
    reason text NOT NULL,
    asked_by uuid NOT NULL,
    approved_by uuid[] NOT NULL CHECK (cardinality(approved_by) = 2 AND approved_by[1] <> approved_by[2] AND asked_by <> ALL (approved_by)),
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > issued_at AND expires_at <= issued_at + interval '4 hours'),
    -- The signed note; NULL: nobody fetched it yet.
    note text,
    -- When it was told that nobody reviewed its use in time.
    unreviewed_at timestamptz,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, asked_by) REFERENCES bauta.person (workspace_id, id)
  );
  CREATE INDEX breakglass_newest ON bauta.breakglass (workspace_id, issued_at DESC, id DESC);
  CREATE TABLE bauta.breakglass_use (
    workspace_id uuid NOT NULL,
    breakglass_id uuid NOT NULL,
    -- Chosen by who uses it: handed in twice it is the same use.
    use_id uuid NOT NULL,
    -- The one that counts; another one was made where nobody could know of it.
    first boolean NOT NULL,
    offline boolean NOT NULL,
    used_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    received_by uuid NOT NULL,
    PRIMARY KEY (workspace_id, breakglass_id, use_id),
    FOREIGN KEY (workspace_id, breakglass_id) REFERENCES bauta.breakglass,
    FOREIGN KEY (workspace_id, received_by) REFERENCES bauta.person (workspace_id, id)
  );
  CREATE UNIQUE INDEX breakglass_used_once ON bauta.breakglass_use (workspace_id, breakglass_id) WHERE first;
  CREATE TABLE bauta.breakglass_review (
    workspace_id uuid NOT NULL,
    breakglass_id uuid NOT NULL,
    reviewed_by uuid NOT NULL,
    reviewed_at timestamptz NOT NULL,
    -- A commitment.
    comment text NOT NULL,
    PRIMARY KEY (workspace_id, breakglass_id),
    FOREIGN KEY (workspace_id, breakglass_id) REFERENCES bauta.breakglass,
    FOREIGN KEY (workspace_id, reviewed_by) REFERENCES bauta.person (workspace_id, id)
  );
  ${byWorkspace('breakglass', 'SELECT, INSERT, UPDATE (note, unreviewed_at)')}
  ${byWorkspace('breakglass_use', 'SELECT, INSERT')}
  ${byWorkspace('breakglass_review', 'SELECT, INSERT')}
  -- Whose use nobody reviewed until then, and of which that was not told.
  CREATE FUNCTION bauta.find_unreviewed(used_before timestamptz) RETURNS TABLE (workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT b.workspace_id, b.id FROM bauta.breakglass b JOIN bauta.breakglass_use u
        ON u.workspace_id = b.workspace_id AND u.breakglass_id = b.id AND u.first
      WHERE b.unreviewed_at IS NULL AND u.used_at <= used_before AND NOT EXISTS (
        SELECT FROM bauta.breakglass_review r WHERE r.workspace_id = b.workspace_id AND r.breakglass_id = b.id
          AND r.reviewed_at <= u.used_at + interval '5 days')
      LIMIT 200 $$;`;

const deployments = `
  -- What was let through last, of each gate, environment and service: it stands until something else takes its place.
  CREATE TABLE bauta.deployment (
    workspace_id uuid NOT NULL,
    gate text NOT NULL,
    environment text NOT NULL,
    service text NOT NULL,
    decision_id uuid NOT NULL,
    decided_at timestamptz NOT NULL,
    commit text,
    image text,
    dataset text,
    -- When it is to be looked at, at the latest; NULL: when something happens.
    due_at timestamptz,
    flipped_at timestamptz,
    PRIMARY KEY (workspace_id, gate, environment, service),
    FOREIGN KEY (workspace_id, decision_id) REFERENCES bauta.decision
  );
  CREATE INDEX deployment_due ON bauta.deployment (due_at) WHERE flipped_at IS NULL;
  -- Decisions that hold no more, each once.
  CREATE TABLE bauta.flip (
    workspace_id uuid NOT NULL,
    decision_id uuid NOT NULL,
    key uuid NOT NULL UNIQUE,
    flipped_at timestamptz NOT NULL,
    reasons json NOT NULL,
    -- The run that made the version that was revoked with it.
    revoked text,
    PRIMARY KEY (workspace_id, decision_id),
    FOREIGN KEY (workspace_id, decision_id) REFERENCES bauta.decision
  );
  CREATE INDEX flip_newest ON bauta.flip (flipped_at);
  -- What happened that may make a deployment another one. A row is taken away when everything that it is about was looked at.
  CREATE TABLE bauta.recheck (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES bauta.workspace,
    -- 'commit', 'image', 'environment', 'dataset', or NULL: everything of the workspace.
    kind text,
    name text
  );
  ${byWorkspace('deployment', 'SELECT, INSERT, UPDATE')}
  ${byWorkspace('flip', 'SELECT, INSERT')}
  ${byWorkspace('recheck', 'SELECT, INSERT, DELETE')}

  CREATE TABLE bauta.evidence_withdrawal (
    workspace_id uuid NOT NULL REFERENCES bauta.workspace,
    evidence_id uuid NOT NULL REFERENCES bauta.evidence,
    withdrawn_by uuid NOT NULL,
    withdrawn_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- A commitment.
    reason text NOT NULL,
    PRIMARY KEY (workspace_id, evidence_id),
    FOREIGN KEY (workspace_id, withdrawn_by) REFERENCES bauta.person (workspace_id, id)
  );
  ${byWorkspace('evidence_withdrawal', 'SELECT, INSERT')}

  -- Whichever way it comes about, in the transaction that brings it.
  CREATE FUNCTION bauta.recheck_evidence() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
    BEGIN
      INSERT INTO bauta.recheck (workspace_id, kind, name) VALUES (NEW.workspace_id, NEW.subject_kind, NEW.subject);
      RETURN NULL;
    END $$;
  CREATE TRIGGER recheck AFTER INSERT ON bauta.evidence FOR EACH ROW EXECUTE FUNCTION bauta.recheck_evidence();
  CREATE FUNCTION bauta.recheck_withdrawal() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
    BEGIN
      INSERT INTO bauta.recheck (workspace_id, kind, name)
        SELECT e.workspace_id, e.subject_kind, e.subject FROM bauta.evidence e WHERE e.id = NEW.evidence_id;
      RETURN NULL;
    END $$;
  CREATE TRIGGER recheck AFTER INSERT ON bauta.evidence_withdrawal FOR EACH ROW EXECUTE FUNCTION bauta.recheck_withdrawal();
  CREATE FUNCTION bauta.recheck_waiver() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
    BEGIN
      INSERT INTO bauta.recheck (workspace_id) VALUES (NEW.workspace_id);
      RETURN NULL;
    END $$;
  CREATE TRIGGER recheck AFTER UPDATE OF ended_at, until ON bauta.waiver FOR EACH ROW EXECUTE FUNCTION bauta.recheck_waiver();
  CREATE FUNCTION bauta.recheck_dataset() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
    BEGIN
      INSERT INTO bauta.recheck (workspace_id, kind, name) VALUES (NEW.workspace_id, 'dataset', NEW.run_id);
      RETURN NULL;
    END $$;
  CREATE TRIGGER recheck AFTER UPDATE ON bauta.dataset_version FOR EACH ROW
    WHEN (OLD.drift::text IS DISTINCT FROM NEW.drift::text OR OLD.rows_drift::text IS DISTINCT FROM NEW.rows_drift::text
      OR OLD.revoked_at IS DISTINCT FROM NEW.revoked_at OR OLD.quarantined_at IS DISTINCT FROM NEW.quarantined_at
      OR OLD.expires_at IS DISTINCT FROM NEW.expires_at)
    EXECUTE FUNCTION bauta.recheck_dataset();

  CREATE FUNCTION bauta.find_rechecks() RETURNS TABLE (workspace_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT r.workspace_id FROM bauta.recheck r
    UNION SELECT d.workspace_id FROM bauta.deployment d WHERE d.flipped_at IS NULL AND d.due_at <= clock_timestamp() $$;
  -- Of every workspace: what was flipped since then, for those who remember answers.
  CREATE FUNCTION bauta.find_flips(since timestamptz) RETURNS TABLE (workspace_id uuid, gate text, environment text, service text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT d.workspace_id, d.gate, d.environment, d.service FROM bauta.flip f
      JOIN bauta.decision d ON d.workspace_id = f.workspace_id AND d.id = f.decision_id WHERE f.flipped_at >= since $$;
  REVOKE ALL ON FUNCTION bauta.find_unreviewed(timestamptz), bauta.find_rechecks(), bauta.find_flips(timestamptz) FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION bauta.find_unreviewed(timestamptz), bauta.find_rechecks(), bauta.find_flips(timestamptz) TO bauta_service;`;

export class Glass1763700000036 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(glass);
    await runner.query(deployments);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
