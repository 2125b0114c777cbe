// The log as a signed one: per workspace a chain of logs, their leaves, the digests of their full tiles and every checkpoint that was signed; the
// texts that leaves hold commitments to; and what the sequencer is asked to sign.
import type { MigrationInterface, QueryRunner } from 'typeorm';

const tables = ['audit_leaf', 'audit_tile', 'audit_checkpoint', 'audit_key', 'audit_note', 'erasable_text'];

const byWorkspace = (table: string): string => `
  ALTER TABLE bauta.${table} ENABLE ROW LEVEL SECURITY;
  CREATE POLICY by_workspace ON bauta.${table} TO bauta_service
    USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());`;

export class Log1763700000003 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- What was numbered and not signed is sequenced anew, in its order, before what waits.
      CREATE TABLE bauta.unsigned AS
        SELECT 0 AS part, position AS place, workspace_id, event FROM bauta.audit_leaf
        UNION ALL SELECT 1, id, workspace_id, event FROM bauta.outbox;
      DELETE FROM bauta.outbox;
      DROP TABLE bauta.audit_leaf;
      INSERT INTO bauta.outbox (workspace_id, event) SELECT workspace_id, event FROM bauta.unsigned ORDER BY part, place;
      DROP TABLE bauta.unsigned;

      -- By which whoever waits for its place finds it.
      ALTER TABLE bauta.outbox ADD COLUMN key uuid UNIQUE;

      CREATE TABLE bauta.audit_leaf (
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        -- The period that the log began in, as in 2026.
        log text NOT NULL CHECK (log ~ '^[0-9]{4}(-[0-9]{2})?$'),
        -- The index in that log.
        position bigint NOT NULL CHECK (position >= 0),
        type text NOT NULL,
        -- The bytes that were signed: canonical JSON, which the type json keeps as it is.
        event json NOT NULL,
        payload json,
        payload_digest text,
        digest bytea NOT NULL CHECK (octet_length(digest) = 32),
        key uuid UNIQUE,
        PRIMARY KEY (workspace_id, log, position)
      );
      CREATE INDEX audit_leaf_by_type ON bauta.audit_leaf (workspace_id, type);
      CREATE INDEX audit_leaf_by_payload ON bauta.audit_leaf (workspace_id, payload_digest) WHERE payload_digest IS NOT NULL;

      CREATE TABLE bauta.audit_tile (
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        log text NOT NULL,
        level integer NOT NULL CHECK (level > 0),
        position bigint NOT NULL CHECK (position >= 0),
        digest bytea NOT NULL CHECK (octet_length(digest) = 32),
        PRIMARY KEY (workspace_id, log, level, position)
      );

      -- Every one that was ever signed: there is one for a size, for good.
      CREATE TABLE bauta.audit_checkpoint (
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        log text NOT NULL,
        size bigint NOT NULL CHECK (size > 0),
        root text NOT NULL,
        note text NOT NULL,
        signed_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (workspace_id, log, size)
      );

      CREATE TABLE bauta.audit_key (
        workspace_id uuid PRIMARY KEY REFERENCES bauta.workspace,
        verifier text NOT NULL
      );

      -- Markers of published datasets, to be signed with the log's key: note is null until the sequencer has looked, and empty when it refused.
      CREATE TABLE bauta.audit_note (
        id uuid PRIMARY KEY,
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        text text NOT NULL,
        note text
      );
      CREATE INDEX audit_note_waiting ON bauta.audit_note (id) WHERE note IS NULL;

      CREATE TABLE bauta.erasable_text (
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        commitment text NOT NULL,
        salt bytea NOT NULL,
        text text NOT NULL,
        PRIMARY KEY (workspace_id, commitment)
      );

      ${tables.map(byWorkspace).join('\n')}
      ${tables
        .filter((table) => table !== 'erasable_text')
        .map((table) => `CREATE POLICY all_workspaces ON bauta.${table} TO bauta_sequencer USING (true) WITH CHECK (true);`)
        .join('\n')}

      GRANT INSERT (key) ON bauta.outbox TO bauta_service;
      GRANT SELECT ON bauta.audit_leaf, bauta.audit_tile, bauta.audit_checkpoint, bauta.audit_key TO bauta_service;
      GRANT SELECT, INSERT (id, workspace_id, text) ON bauta.audit_note TO bauta_service;
      GRANT SELECT, INSERT, DELETE ON bauta.erasable_text TO bauta_service;
      GRANT SELECT, INSERT ON bauta.audit_leaf, bauta.audit_tile, bauta.audit_checkpoint, bauta.audit_key TO bauta_sequencer;
      GRANT SELECT, UPDATE (note) ON bauta.audit_note TO bauta_sequencer;

      CREATE FUNCTION bauta.wake_sequencer() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
        BEGIN
          PERFORM pg_catalog.pg_notify('bauta_outbox', '');
          RETURN NULL;
        END $$;
      REVOKE ALL ON FUNCTION bauta.wake_sequencer() FROM PUBLIC;
      CREATE TRIGGER wake_sequencer AFTER INSERT ON bauta.outbox FOR EACH STATEMENT EXECUTE FUNCTION bauta.wake_sequencer();
      CREATE TRIGGER wake_sequencer AFTER INSERT ON bauta.audit_note FOR EACH STATEMENT EXECUTE FUNCTION bauta.wake_sequencer();
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
