// Tokens that were drawn, each with its value: encrypted, found by a keyed digest of the value, under a version of the environment's token key. What
// was destroyed leaves its token here, so that the same one is never given to another value.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class TokenEntries1763700000022 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE bauta.token_entry (
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        environment text NOT NULL,
        domain text NOT NULL,
        token text NOT NULL,
        key_version integer NOT NULL CHECK (key_version > 0),
        -- HMAC-SHA-256 of the value, and of whom it is about; nonce, text and tag of AES-256-GCM. NULL once it is destroyed.
        found_by bytea CHECK (length(found_by) = 32),
        subject_by bytea CHECK (length(subject_by) = 32),
        sealed bytea,
        purpose text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        shredded_at timestamptz,
        PRIMARY KEY (workspace_id, environment, domain, token),
        CHECK ((shredded_at IS NULL) = (sealed IS NOT NULL)),
        CHECK ((sealed IS NULL) = (found_by IS NULL)),
        CHECK (sealed IS NOT NULL OR subject_by IS NULL)
      );
      CREATE UNIQUE INDEX token_entry_by_value ON bauta.token_entry (workspace_id, environment, domain, found_by);
      CREATE INDEX token_entry_by_subject ON bauta.token_entry (workspace_id, environment, subject_by) WHERE subject_by IS NOT NULL;
      ALTER TABLE bauta.token_entry ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.token_entry TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, INSERT, UPDATE (found_by, subject_by, sealed, shredded_at) ON bauta.token_entry TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
