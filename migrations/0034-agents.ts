// Agents of environments: whom a token lets in, who was let in and let go, how far each has been heard, and where each stands. Of a token there is the
// public half only: nobody can enrol with it.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Agents1763700000034 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- The stream of an environment, as far as it was heard.
      CREATE TABLE bauta.agent_stream (
        workspace_id uuid NOT NULL REFERENCES bauta.workspace (id),
        environment text NOT NULL,
        -- Whose target leads there.
        pipeline text NOT NULL,
        -- Offsets of the receipts topic by partition; NULL: nothing was heard.
        positions json,
        -- Who asked for something there last: errands of the clock are his.
        asked_by uuid NOT NULL,
        asked_at timestamptz NOT NULL DEFAULT 'epoch',
        heard_at timestamptz,
        PRIMARY KEY (workspace_id, environment),
        FOREIGN KEY (workspace_id, asked_by) REFERENCES bauta.person (workspace_id, id)
      );
      CREATE TABLE bauta.agent_invite (
        workspace_id uuid NOT NULL,
        environment text NOT NULL,
        token_id text NOT NULL CHECK (token_id ~ '^[0-9a-f]{16}$'),
        public_key text NOT NULL CHECK (public_key ~ '^[0-9a-f]{64}$'),
        invited_by uuid NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        PRIMARY KEY (workspace_id, environment, token_id),
        FOREIGN KEY (workspace_id, environment) REFERENCES bauta.agent_stream (workspace_id, environment),
        FOREIGN KEY (workspace_id, invited_by) REFERENCES bauta.person (workspace_id, id)
      );
      CREATE TABLE bauta.agent (
        workspace_id uuid NOT NULL,
        environment text NOT NULL,
        agent_id text NOT NULL,
        public_key text NOT NULL,
        recipient text NOT NULL,
        -- Where it said that it delivers to.
        database text NOT NULL,
        system_identifier text NOT NULL,
        enrolled_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        revoked_at timestamptz,
        revoked_by uuid,
        -- That it was revoked stands on the control topic.
        revocation_told_at timestamptz,
        -- By its receipts.
        standing json NOT NULL,
        PRIMARY KEY (workspace_id, environment, agent_id),
        FOREIGN KEY (workspace_id, environment) REFERENCES bauta.agent_stream (workspace_id, environment),
        FOREIGN KEY (workspace_id, revoked_by) REFERENCES bauta.person (workspace_id, id),
        CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
      );
      CREATE INDEX agent_stream_due ON bauta.agent_stream (asked_at);
      ALTER TABLE bauta.agent_stream ENABLE ROW LEVEL SECURITY;
      ALTER TABLE bauta.agent_invite ENABLE ROW LEVEL SECURITY;
      ALTER TABLE bauta.agent ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.agent_stream TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      CREATE POLICY by_workspace ON bauta.agent_invite TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      CREATE POLICY by_workspace ON bauta.agent TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, INSERT, UPDATE (pipeline, positions, asked_by, asked_at, heard_at) ON bauta.agent_stream TO bauta_service;
      GRANT SELECT, INSERT, UPDATE (used_at) ON bauta.agent_invite TO bauta_service;
      -- Who was let go is never let in again under the same name.
      GRANT SELECT, INSERT, UPDATE (revoked_at, revoked_by, revocation_told_at, standing) ON bauta.agent TO bauta_service;

      -- In any workspace, names only: soon where somebody waits, now and then where somebody may speak.
      CREATE FUNCTION bauta.find_due_agents(soon timestamptz, then_again timestamptz) RETURNS TABLE (workspace_id uuid, environment text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT s.workspace_id, s.environment FROM bauta.agent_stream s
        WHERE s.asked_at <= soon AND (
            EXISTS (SELECT FROM bauta.agent_invite i WHERE i.workspace_id = s.workspace_id AND i.environment = s.environment
              AND i.used_at IS NULL AND i.expires_at > pg_catalog.now())
            OR EXISTS (SELECT FROM bauta.agent a WHERE a.workspace_id = s.workspace_id AND a.environment = s.environment
              AND a.revoked_at IS NOT NULL AND a.revocation_told_at IS NULL))
          OR s.asked_at <= then_again AND EXISTS (SELECT FROM bauta.agent a WHERE a.workspace_id = s.workspace_id
            AND a.environment = s.environment AND a.revoked_at IS NULL)
        ORDER BY s.asked_at LIMIT 200 $$;
      REVOKE ALL ON FUNCTION bauta.find_due_agents(timestamptz, timestamptz) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION bauta.find_due_agents(timestamptz, timestamptz) TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
