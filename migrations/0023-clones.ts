// Clones of environments, what a worker is asked for about them, and the link by which the credentials of one are handed out once. Here are only a
// MAC of the link's secret and credentials that are sealed for it: who reads this table can open neither.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Clones1763700000023 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Which kinds of errand there are is for the program to say.
      ALTER TABLE bauta.errand DROP CONSTRAINT IF EXISTS errand_kind_check,
        -- The id of the clone that it is about.
        ADD COLUMN clone text,
        ADD CONSTRAINT errand_clone_check CHECK ((clone IS NOT NULL) = (kind IN ('clone', 'unclone')));
      CREATE TABLE bauta.clone (
        id text PRIMARY KEY,
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        environment text NOT NULL,
        -- Whose target it is copied at.
        pipeline text NOT NULL,
        purpose text NOT NULL,
        hours integer NOT NULL,
        requested_by uuid NOT NULL,
        state text NOT NULL DEFAULT 'making' CHECK (state IN ('making', 'ready', 'dropping', 'dropped', 'failed')),
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        -- It is dropped as soon as it has been made.
        unwanted boolean NOT NULL DEFAULT false,
        -- When a worker was asked last.
        asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        ended_at timestamptz,
        version integer,
        database text,
        expires_at timestamptz,
        error json,
        link_mac bytea,
        link_key bytea,
        link_expires_at timestamptz,
        sealed bytea,
        redeemed_at timestamptz,
        FOREIGN KEY (workspace_id, requested_by) REFERENCES bauta.person (workspace_id, id),
        CHECK ((ended_at IS NULL) = (state IN ('making', 'ready', 'dropping'))),
        CHECK (state <> 'ready' OR (database IS NOT NULL AND expires_at IS NOT NULL AND version IS NOT NULL))
      );
      CREATE UNIQUE INDEX clone_by_purpose ON bauta.clone (workspace_id, environment, purpose) WHERE ended_at IS NULL;
      CREATE INDEX clone_by_environment ON bauta.clone (workspace_id, environment, id);
      CREATE INDEX clone_by_due ON bauta.clone (asked_at) WHERE ended_at IS NULL;
      ALTER TABLE bauta.clone ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.clone TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, INSERT, DELETE, UPDATE (hours, requested_by, state, unwanted, asked_at, ended_at, version, database, expires_at, error, link_mac, link_key,
        link_expires_at, sealed, redeemed_at) ON bauta.clone TO bauta_service;

      -- In any workspace, ids only: whose time is up, and what nobody has been at for a while.
      CREATE FUNCTION bauta.find_due_clones(at timestamptz, asked_before timestamptz) RETURNS TABLE (workspace_id uuid, id text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT c.workspace_id, c.id FROM bauta.clone c
        WHERE c.ended_at IS NULL AND (c.state = 'ready' AND c.expires_at <= at OR c.state <> 'ready' AND c.asked_at <= asked_before)
        ORDER BY c.asked_at LIMIT 200 $$;
      -- Who has a link is in nobody's workspace.
      CREATE FUNCTION bauta.find_clone_link(of_clone text) RETURNS uuid
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT c.workspace_id FROM bauta.clone c WHERE c.id = of_clone AND c.link_mac IS NOT NULL $$;
      REVOKE ALL ON FUNCTION bauta.find_due_clones(timestamptz, timestamptz), bauta.find_clone_link(text) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION bauta.find_due_clones(timestamptz, timestamptz), bauta.find_clone_link(text) TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
