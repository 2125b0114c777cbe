// Decisions about deployments, each with its record in the form of OPA's decision log; and what users' own OPAs send of theirs. Nothing of it changes.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Decisions1763700000032 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE bauta.decision (
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        id uuid NOT NULL,
        -- By which its entry is found in the log.
        key uuid NOT NULL UNIQUE,
        gate text NOT NULL,
        environment text NOT NULL,
        service text NOT NULL,
        decided_at timestamptz NOT NULL,
        allow boolean NOT NULL,
        enforced boolean NOT NULL,
        -- What was answered, and the record by which it is taken again.
        answer json NOT NULL,
        record json NOT NULL,
        PRIMARY KEY (workspace_id, id)
      );
      CREATE INDEX decision_newest ON bauta.decision (workspace_id, decided_at DESC, id DESC);
      CREATE INDEX decision_of_gate ON bauta.decision (workspace_id, gate, decided_at DESC, id DESC);
      ALTER TABLE bauta.decision ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.decision TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, INSERT ON bauta.decision TO bauta_service;

      CREATE TABLE bauta.opa_event (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        kind text NOT NULL CHECK (kind IN ('decision', 'status')),
        -- decision_id of a decision; NULL: a status has none.
        decision_id text,
        received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        received_by uuid NOT NULL,
        digest text NOT NULL,
        event json NOT NULL,
        FOREIGN KEY (workspace_id, received_by) REFERENCES bauta.person (workspace_id, id)
      );
      CREATE UNIQUE INDEX opa_event_once ON bauta.opa_event (workspace_id, digest);
      CREATE INDEX opa_event_newest ON bauta.opa_event (workspace_id, received_at DESC, id DESC);
      ALTER TABLE bauta.opa_event ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.opa_event TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, INSERT ON bauta.opa_event TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
