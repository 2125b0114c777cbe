// Leaves that later runs go by: what is recorded for good, once for each content, and intents without an outcome. The sequencer keeps this index in
// the transaction in which it writes the leaves (pipeline/audit/standing.ts says what stands); here it is made of the log that is there.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Standing1763700000017 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE bauta.audit_standing (
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        -- What the leaf is about: of one subject the newest leaf stands, until one ends it.
        subject text NOT NULL,
        type text NOT NULL,
        log text NOT NULL,
        position bigint NOT NULL,
        PRIMARY KEY (workspace_id, subject)
      );
      ALTER TABLE bauta.audit_standing ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.audit_standing TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      CREATE POLICY all_workspaces ON bauta.audit_standing TO bauta_sequencer USING (true) WITH CHECK (true);
      GRANT SELECT ON bauta.audit_standing TO bauta_service;
      GRANT SELECT, INSERT, UPDATE (log, position), DELETE ON bauta.audit_standing TO bauta_sequencer;

      -- The run of an entry, as a column: under row-level security no index over what stands in the JSON is used. Members are sorted, so the
      -- last one of that name is the entry's own; it is taken as text, because JSON may hold what no text can.
      ALTER TABLE bauta.audit_leaf ADD COLUMN run_id text;
      UPDATE bauta.audit_leaf SET run_id = substring(event::text FROM '.*"runId":"([0-9A-Za-z-]+)"') WHERE event::text ~ '"runId":"[0-9A-Za-z-]+"';
      CREATE INDEX audit_leaf_by_run ON bauta.audit_leaf (workspace_id, run_id) WHERE run_id IS NOT NULL;

      INSERT INTO bauta.audit_standing (workspace_id, subject, type, log, position)
      WITH leaf AS MATERIALIZED (
        SELECT workspace_id, log, position, type, event, coalesce(payload, event -> 'data') AS data FROM bauta.audit_leaf
        WHERE type IN ('source.seen', 'key.recorded', 'log.carried') OR type ~
          '^(staging|dataset\\.published|dataset\\.rolled-back|log\\.deleted|text\\.erased|person\\.erased)\\.(intended|done|failed|completed|undone)$'),
      told AS (
        SELECT workspace_id, log, position, type, event ->> 'runId' AS run_id, data FROM leaf WHERE type <> 'log.carried'
        UNION ALL
        SELECT workspace_id, log, position, data -> 'event' ->> 'type', data -> 'event' ->> 'runId', data -> 'event' -> 'data'
        FROM leaf WHERE type = 'log.carried'),
      about AS (
        SELECT workspace_id, log, position, type, CASE
          WHEN type IN ('source.seen', 'key.recorded')
            THEN type || ' sha256:' || encode(sha256(convert_to(data::text, 'UTF8')), 'hex')
          ELSE regexp_replace(type, '\\.[a-z]+$', '') || ' ' || run_id END AS subject
        FROM told),
      last AS (
        SELECT DISTINCT ON (workspace_id, subject) workspace_id, subject, type, log, position FROM about
        WHERE subject IS NOT NULL ORDER BY workspace_id, subject, log COLLATE "C" DESC, position DESC)
      SELECT workspace_id, subject, type, log, position FROM last WHERE type IN ('source.seen', 'key.recorded') OR type LIKE '%.intended';
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
