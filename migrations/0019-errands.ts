// What a worker is asked for beside runs: a plan, the versions of a target, a roll-back. Kept for a day, for whoever asked; what was changed stands in
// the log.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Errands1763700000019 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE bauta.errand (
        id text PRIMARY KEY,
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        kind text NOT NULL CHECK (kind IN ('plan', 'datasets', 'rollback')),
        pipeline text NOT NULL,
        environment text NOT NULL,
        documents json NOT NULL,
        requested_by uuid NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        started_at timestamptz,
        -- When its worker said last that it is at it.
        heard_at timestamptz,
        ended_at timestamptz,
        result json,
        error json,
        FOREIGN KEY (workspace_id, requested_by) REFERENCES bauta.person (workspace_id, id),
        CHECK ((started_at IS NULL) = (heard_at IS NULL)),
        CHECK ((ended_at IS NULL) = (result IS NULL AND error IS NULL))
      );
      CREATE INDEX errand_by_age ON bauta.errand (workspace_id, created_at);
      ALTER TABLE bauta.errand ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.errand TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, INSERT, DELETE, UPDATE (started_at, heard_at, ended_at, result, error) ON bauta.errand TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
