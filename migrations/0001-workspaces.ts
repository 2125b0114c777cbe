// Workspaces, people, tokens, documents, the audit outbox and its leaves. Append-only: a released migration is never edited, a new one follows.
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Rows of a workspace are seen and written only by a session that says it is in that workspace. */
const byWorkspace = (table: string): string => `
  ALTER TABLE bauta.${table} ENABLE ROW LEVEL SECURITY;
  CREATE POLICY by_workspace ON bauta.${table} TO bauta_service
    USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());`;

export class Workspaces1763700000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      REVOKE ALL ON SCHEMA bauta FROM PUBLIC;
      GRANT USAGE ON SCHEMA bauta TO bauta_service, bauta_sequencer;

      CREATE FUNCTION bauta.current_workspace() RETURNS uuid LANGUAGE sql STABLE SET search_path = '' AS
        $$ SELECT nullif(pg_catalog.current_setting('bauta.workspace', true), '')::pg_catalog.uuid $$;

      CREATE TABLE bauta.workspace (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        name text NOT NULL UNIQUE,
        created_at timestamptz NOT NULL DEFAULT now()
      );
      INSERT INTO bauta.workspace (name) VALUES ('default');

      CREATE TABLE bauta.person (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        name text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (workspace_id, name),
        UNIQUE (workspace_id, id)
      );

      CREATE TABLE bauta.role_grant (
        workspace_id uuid NOT NULL,
        person_id uuid NOT NULL,
        role text NOT NULL,
        granted_by uuid,
        granted_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (person_id, role),
        FOREIGN KEY (workspace_id, person_id) REFERENCES bauta.person (workspace_id, id)
      );

      CREATE TABLE bauta.token (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        workspace_id uuid NOT NULL,
        person_id uuid NOT NULL,
        name text NOT NULL,
        digest bytea NOT NULL UNIQUE,
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        revoked_at timestamptz,
        FOREIGN KEY (workspace_id, person_id) REFERENCES bauta.person (workspace_id, id)
      );

      CREATE TABLE bauta.first_token (
        digest bytea PRIMARY KEY,
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        expires_at timestamptz NOT NULL,
        used_at timestamptz
      );

      CREATE TABLE bauta.document (
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        kind text NOT NULL,
        name text NOT NULL,
        version integer NOT NULL CHECK (version > 0),
        digest text NOT NULL,
        written json NOT NULL,
        author_id uuid NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (workspace_id, kind, name, version),
        FOREIGN KEY (workspace_id, author_id) REFERENCES bauta.person (workspace_id, id)
      );

      CREATE TABLE bauta.idempotency (
        workspace_id uuid NOT NULL,
        person_id uuid NOT NULL,
        key text NOT NULL,
        request_digest text NOT NULL,
        status integer,
        body json,
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (workspace_id, person_id, key),
        FOREIGN KEY (workspace_id, person_id) REFERENCES bauta.person (workspace_id, id)
      );

      CREATE TABLE bauta.outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        event json NOT NULL
      );
      CREATE TABLE bauta.audit_leaf (
        position bigint PRIMARY KEY CHECK (position >= 0),
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        event json NOT NULL,
        digest text NOT NULL
      );

      ${['person', 'role_grant', 'token', 'first_token', 'document', 'idempotency', 'outbox', 'audit_leaf'].map(byWorkspace).join('\n')}
      CREATE POLICY all_workspaces ON bauta.outbox TO bauta_sequencer USING (true);
      CREATE POLICY all_workspaces ON bauta.audit_leaf TO bauta_sequencer USING (true) WITH CHECK (true);

      GRANT SELECT ON bauta.workspace TO bauta_service;
      GRANT SELECT, INSERT ON bauta.person, bauta.document TO bauta_service;
      GRANT SELECT, INSERT, DELETE ON bauta.role_grant TO bauta_service;
      GRANT SELECT, INSERT, UPDATE (revoked_at) ON bauta.token TO bauta_service;
      GRANT INSERT ON bauta.first_token TO bauta_service;
      GRANT SELECT, INSERT, DELETE, UPDATE (status, body) ON bauta.idempotency TO bauta_service;
      GRANT INSERT (workspace_id, event) ON bauta.outbox TO bauta_service;
      GRANT SELECT, DELETE ON bauta.outbox TO bauta_sequencer;
      GRANT SELECT, INSERT ON bauta.audit_leaf TO bauta_sequencer;
    `);
    await runner.query(lookups);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}

/** What has to be found before it is known in which workspace: by the digest of a secret, and nothing else. */
const lookups = `
  CREATE FUNCTION bauta.find_token(wanted bytea)
    RETURNS TABLE (id uuid, workspace_id uuid, person_id uuid, person text, roles text[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT t.id, t.workspace_id, t.person_id, p.name,
      ARRAY(SELECT g.role FROM bauta.role_grant g WHERE g.person_id = t.person_id ORDER BY g.role)
    FROM bauta.token t JOIN bauta.person p ON p.id = t.person_id
    WHERE t.digest = wanted AND t.revoked_at IS NULL AND t.expires_at > pg_catalog.now() $$;

  CREATE FUNCTION bauta.has_administrator(wanted uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT EXISTS (SELECT FROM bauta.role_grant g JOIN bauta.token t USING (person_id)
      WHERE g.workspace_id = wanted AND g.role = 'administrator' AND t.revoked_at IS NULL AND t.expires_at > pg_catalog.now()) $$;

  CREATE FUNCTION bauta.find_first_token(wanted bytea) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT f.workspace_id FROM bauta.first_token f
    WHERE f.digest = wanted AND f.used_at IS NULL AND f.expires_at > pg_catalog.now() $$;

  -- Single use: the row lock makes a second caller wait, and then find nothing. With one used, all of the workspace are.
  CREATE FUNCTION bauta.use_first_token(wanted bytea) RETURNS uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
    DECLARE
      found_in uuid;
    BEGIN
      UPDATE bauta.first_token SET used_at = pg_catalog.now()
        WHERE digest = wanted AND used_at IS NULL AND expires_at > pg_catalog.now() RETURNING workspace_id INTO found_in;
      UPDATE bauta.first_token SET used_at = pg_catalog.now() WHERE workspace_id = found_in AND used_at IS NULL;
      RETURN found_in;
    END $$;

  REVOKE ALL ON ALL FUNCTIONS IN SCHEMA bauta FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION bauta.current_workspace() TO bauta_service, bauta_sequencer;
  GRANT EXECUTE ON FUNCTION bauta.find_token(bytea), bauta.has_administrator(uuid), bauta.find_first_token(bytea), bauta.use_first_token(bytea)
    TO bauta_service;
`;
