// What native callers of gates asked and are told later; and by which a question without its data finds the one that was asked with it.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Callbacks1763700000038 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE bauta.callback (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        gate text NOT NULL,
        via text NOT NULL CHECK (via IN ('github', 'gitlab', 'azure')),
        -- Id of the delivery as its sender has it, and the digest of what was signed.
        delivery text NOT NULL,
        digest text NOT NULL,
        asked json NOT NULL,
        -- Where the answer belongs: numbers and names that the sender gave. Never an address.
        place json NOT NULL,
        -- A token to answer with, under a key of the service; gone when it has ended.
        sealed bytea,
        -- Once it is decided: what is told, however often it has to be tried.
        verdict json,
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'told', 'dead')),
        attempts integer NOT NULL DEFAULT 0,
        next_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        -- After it nobody listens any more.
        until_at timestamptz NOT NULL,
        error text,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        ended_at timestamptz,
        CHECK (state = 'waiting' OR sealed IS NULL)
      );
      -- GitHub says the same thing twice only when somebody repeats it; GitLab repeats what it wants to know again.
      CREATE UNIQUE INDEX callback_once ON bauta.callback (workspace_id, gate, via, digest) WHERE via = 'github' OR state = 'waiting';
      CREATE UNIQUE INDEX callback_delivered_once ON bauta.callback (workspace_id, gate, delivery) WHERE via = 'github';
      CREATE INDEX callback_due ON bauta.callback (next_at) WHERE state = 'waiting';
      CREATE INDEX callback_newest ON bauta.callback (workspace_id, gate, created_at DESC, id DESC);
      CREATE INDEX callback_by_age ON bauta.callback (workspace_id, created_at);
      ALTER TABLE bauta.callback ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.callback TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, INSERT, DELETE, UPDATE (state, attempts, next_at, error, ended_at, sealed, verdict) ON bauta.callback TO bauta_service;

      -- What waits, in every workspace: ids only.
      CREATE FUNCTION bauta.find_due_callbacks() RETURNS TABLE (workspace_id uuid, id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT c.workspace_id, c.id FROM bauta.callback c
        WHERE c.state = 'waiting' AND c.next_at <= pg_catalog.clock_timestamp() ORDER BY c.next_at LIMIT 20 $$;
      REVOKE ALL ON FUNCTION bauta.find_due_callbacks() FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION bauta.find_due_callbacks() TO bauta_service;

      CREATE INDEX decision_of_commit ON bauta.decision (workspace_id, gate, environment, service, (record #>> '{input,request,commit}'), decided_at DESC)
        WHERE record #>> '{input,request,image,digest}' IS NOT NULL OR record #>> '{input,dataset,statement}' IS NOT NULL;
      CREATE INDEX decision_of_image ON bauta.decision
        (workspace_id, gate, environment, service, (record #>> '{input,request,image,digest}'), decided_at DESC)
        WHERE record #>> '{input,request,commit}' IS NOT NULL OR record #>> '{input,dataset,statement}' IS NOT NULL;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
