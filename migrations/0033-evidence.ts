// Reports of scanners and tests that were sent as evidence: what each says in sum, who sent it, and what it is of; and waivers of findings.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Evidence1763700000033 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE bauta.evidence (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        workspace_id uuid NOT NULL REFERENCES bauta.workspace (id),
        -- SHA-256 of the report as it was sent.
        digest bytea NOT NULL CHECK (octet_length(digest) = 32),
        bytes bigint NOT NULL,
        format text NOT NULL,
        tool text NOT NULL,
        tool_version text,
        -- A commit (40 or 64 hex digits), an image (sha256:…) or an environment (its name).
        subject_kind text NOT NULL CHECK (subject_kind IN ('commit', 'image', 'environment')),
        subject text NOT NULL,
        -- What goes on under many subjects: the repository of commits, the name of images, the environment. Reports of one line follow each other.
        line text NOT NULL,
        -- Whether the report itself names the subject, too.
        subject_stated boolean NOT NULL,
        received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        received_by uuid NOT NULL,
        -- What an identity token said of the job: issuer, repository, ref, commit, workflow, run. NULL: sent with an API key.
        producer json,
        made_at timestamptz,
        database_at timestamptz,
        -- Why it is none although it has no findings; NULL: it is one.
        missing text,
        rules bigint,
        targets bigint,
        errors bigint NOT NULL,
        -- { critical: [open, of these fixable], … }
        counts json NOT NULL,
        suppressed integer NOT NULL,
        -- Against the report before it, of the same tool, format and subject's line; NULL: there was none.
        new_findings integer,
        fixed_findings integer,
        -- Lines of JSON, gzip: the findings with their coordinates, as many as are kept.
        findings bytea NOT NULL,
        -- 16 bytes of each open finding, all of them.
        fingerprints bytea NOT NULL,
        FOREIGN KEY (workspace_id, received_by) REFERENCES bauta.person (workspace_id, id)
      );
      CREATE UNIQUE INDEX evidence_once ON bauta.evidence (workspace_id, subject_kind, subject, format, digest);
      CREATE INDEX evidence_of_subject ON bauta.evidence (workspace_id, subject_kind, subject, received_at DESC);
      CREATE INDEX evidence_of_tool ON bauta.evidence (workspace_id, subject_kind, line, tool, format, received_at DESC);
      CREATE INDEX evidence_in_order ON bauta.evidence (workspace_id, received_at DESC, id);
      ALTER TABLE bauta.evidence ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.evidence TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      -- What was received is not changed.
      GRANT SELECT, INSERT ON bauta.evidence TO bauta_service;

      CREATE TABLE bauta.waiver (
        id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        workspace_id uuid NOT NULL REFERENCES bauta.workspace (id),
        rule text NOT NULL,
        -- Of one finding; NULL: wherever the rule finds something within the scope.
        fingerprint bytea CHECK (octet_length(fingerprint) = 16),
        -- A repository by its number at the issuer, an image, an environment; NULL with its kind: everywhere.
        scope_kind text CHECK (scope_kind IN ('repository', 'image', 'environment')),
        scope text,
        -- A commitment: the text can be erased.
        reason text NOT NULL,
        asked_by uuid NOT NULL,
        approval uuid NOT NULL,
        granted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        until timestamptz NOT NULL,
        ended_at timestamptz,
        ended_by uuid,
        FOREIGN KEY (workspace_id, asked_by) REFERENCES bauta.person (workspace_id, id),
        FOREIGN KEY (workspace_id, ended_by) REFERENCES bauta.person (workspace_id, id),
        CHECK ((scope_kind IS NULL) = (scope IS NULL)),
        CHECK ((ended_at IS NULL) = (ended_by IS NULL))
      );
      CREATE UNIQUE INDEX waiver_of_approval ON bauta.waiver (workspace_id, approval);
      CREATE INDEX waiver_standing ON bauta.waiver (workspace_id, rule) WHERE ended_at IS NULL;
      ALTER TABLE bauta.waiver ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.waiver TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, INSERT, UPDATE (ended_at, ended_by) ON bauta.waiver TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
