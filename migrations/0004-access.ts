// Access: roles of one environment, service accounts with their owners, approvals, and the workspaces that the first one makes.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Access1763700000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- A service account is owned by a person; whatever compares persons compares the owner.
      ALTER TABLE bauta.person ADD COLUMN owner_id uuid,
        ADD FOREIGN KEY (workspace_id, owner_id) REFERENCES bauta.person (workspace_id, id), ADD CHECK (owner_id <> id);

      -- Empty: in every environment.
      ALTER TABLE bauta.role_grant ADD COLUMN environment text NOT NULL DEFAULT '',
        DROP CONSTRAINT role_grant_pkey, ADD PRIMARY KEY (person_id, role, environment);

      -- Where the run delivers to, by the pipeline that it was asked for with.
      ALTER TABLE bauta.run ADD COLUMN environment text NOT NULL DEFAULT '';
      UPDATE bauta.run r SET environment = coalesce((
        SELECT d.written -> 'target' ->> 'environment' FROM json_array_elements(r.documents) AS named JOIN bauta.document d
          ON d.workspace_id = r.workspace_id AND d.kind = 'Pipeline' AND d.name = named ->> 'name' AND d.version = (named ->> 'version')::integer
        WHERE named ->> 'kind' = 'Pipeline'), '');

      CREATE TABLE bauta.approval (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        kind text NOT NULL,
        state text NOT NULL DEFAULT 'waiting',
        -- Of what is approved: whatever else is there at the moment of use was not approved.
        digest text NOT NULL,
        subject json NOT NULL,
        environments text[] NOT NULL DEFAULT '{}',
        run_id text,
        requested_by uuid,
        author_ids uuid[] NOT NULL DEFAULT '{}',
        requested_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        decided_by uuid,
        decided_at timestamptz,
        FOREIGN KEY (workspace_id, run_id) REFERENCES bauta.run (workspace_id, id),
        FOREIGN KEY (workspace_id, requested_by) REFERENCES bauta.person (workspace_id, id),
        FOREIGN KEY (workspace_id, decided_by) REFERENCES bauta.person (workspace_id, id)
      );
      CREATE INDEX approval_by_run ON bauta.approval (run_id) WHERE run_id IS NOT NULL;
      CREATE INDEX approval_undecided ON bauta.approval (expires_at) WHERE state IN ('waiting', 'approved');
      ALTER TABLE bauta.approval ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.approval TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, INSERT, UPDATE (state, expires_at, decided_by, decided_at) ON bauta.approval TO bauta_service;
    `);
    await runner.query(lookups);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}

const lookups = `
  DROP FUNCTION bauta.find_token(bytea);
  CREATE FUNCTION bauta.find_token(wanted bytea)
    RETURNS TABLE (id uuid, workspace_id uuid, person_id uuid, owner_id uuid, person text, roles text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT t.id, t.workspace_id, t.person_id, coalesce(p.owner_id, p.id), p.name,
      ARRAY(SELECT g.role || CASE WHEN g.environment = '' THEN '' ELSE '@' || g.environment END
        FROM bauta.role_grant g WHERE g.person_id = t.person_id ORDER BY 1)
    FROM bauta.token t JOIN bauta.person p ON p.id = t.person_id
    WHERE t.digest = wanted AND t.revoked_at IS NULL AND t.expires_at > pg_catalog.now() $$;

  -- The installation's own: its administrators make others.
  CREATE FUNCTION bauta.is_default(wanted uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT EXISTS (SELECT FROM bauta.workspace w WHERE w.id = wanted AND w.name = 'default') $$;

  -- Nothing where the name is taken by one that somebody administers, or where the session is not in the workspace that makes others.
  CREATE FUNCTION bauta.create_workspace(wanted text, first_digest bytea, first_expires timestamptz) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
    DECLARE
      made uuid;
    BEGIN
      IF NOT bauta.is_default(bauta.current_workspace()) THEN RETURN NULL; END IF;
      INSERT INTO bauta.workspace (name) VALUES (wanted) ON CONFLICT (name) DO NOTHING;
      SELECT w.id INTO made FROM bauta.workspace w WHERE w.name = wanted;
      IF EXISTS (SELECT FROM bauta.role_grant g WHERE g.workspace_id = made AND g.role = 'administrator') THEN RETURN NULL; END IF;
      INSERT INTO bauta.first_token (digest, workspace_id, expires_at) VALUES (first_digest, made, first_expires);
      RETURN made;
    END $$;

  -- Of every workspace: what nobody decided in time, or nobody used.
  CREATE FUNCTION bauta.find_expired_approvals() RETURNS TABLE (workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT a.workspace_id, a.id FROM bauta.approval a
    WHERE a.state IN ('waiting', 'approved') AND a.expires_at <= pg_catalog.now() ORDER BY a.expires_at LIMIT 100 $$;

  -- Outside every workspace (before it is known who asks) and in the first one all names are seen; elsewhere one's own.
  ALTER TABLE bauta.workspace ENABLE ROW LEVEL SECURITY;
  CREATE POLICY own_or_default ON bauta.workspace TO bauta_service
    USING (bauta.current_workspace() IS NULL OR id = bauta.current_workspace() OR bauta.is_default(bauta.current_workspace()));

  REVOKE ALL ON FUNCTION bauta.find_token(bytea), bauta.find_expired_approvals(), bauta.is_default(uuid),
    bauta.create_workspace(text, bytea, timestamptz) FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION bauta.find_token(bytea), bauta.find_expired_approvals(), bauta.is_default(uuid),
    bauta.create_workspace(text, bytea, timestamptz) TO bauta_service;
`;
