// Reviews of access: what people held when one was opened, one row for each thing that somebody holds, and what a reviewer decided of it. And when an API
// key was used last, to the hour: what nobody uses is the first thing to take away.
import type { MigrationInterface, QueryRunner } from 'typeorm';

const byWorkspace = (table: string, rights: string): string => `
  ALTER TABLE bauta.${table} ENABLE ROW LEVEL SECURITY;
  CREATE POLICY by_workspace ON bauta.${table} TO bauta_service
    USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
  GRANT ${rights} ON bauta.${table} TO bauta_service;`;

const reviews = `
  CREATE TABLE bauta.access_review (
    workspace_id uuid NOT NULL REFERENCES bauta.workspace,
    id uuid NOT NULL,
    -- NULL: the service, because the last one was long ago.
    opened_by uuid,
    opened_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL CHECK (due_at > opened_at),
    closed_at timestamptz,
    -- When the log was told that it was not closed in time.
    overdue_at timestamptz,
    PRIMARY KEY (workspace_id, id),
    FOREIGN KEY (workspace_id, opened_by) REFERENCES bauta.person (workspace_id, id)
  );
  CREATE UNIQUE INDEX access_review_one_at_a_time ON bauta.access_review (workspace_id) WHERE closed_at IS NULL;
  CREATE INDEX access_review_newest ON bauta.access_review (workspace_id, opened_at DESC, id DESC);
  CREATE TABLE bauta.access_review_item (
    workspace_id uuid NOT NULL,
    review_id uuid NOT NULL,
    item integer NOT NULL CHECK (item > 0),
    kind text NOT NULL CHECK (kind IN ('role', 'apikey', 'clone')),
    -- Who holds it.
    person_id uuid NOT NULL,
    -- A role with its environment, or the id of a key or of a clone.
    holds text NOT NULL,
    environment text,
    since timestamptz,
    -- NULL: nobody knows.
    last_used_at timestamptz,
    decision text CHECK (decision IN ('keep', 'revoke')),
    decided_by uuid,
    decided_at timestamptz,
    -- A commitment.
    reason text,
    -- 'done', 'waits' for another administrator, or 'gone': it was held no more.
    effect text CHECK (effect IN ('done', 'waits', 'gone')),
    PRIMARY KEY (workspace_id, review_id, item),
    FOREIGN KEY (workspace_id, review_id) REFERENCES bauta.access_review,
    FOREIGN KEY (workspace_id, person_id) REFERENCES bauta.person (workspace_id, id),
    FOREIGN KEY (workspace_id, decided_by) REFERENCES bauta.person (workspace_id, id),
    CHECK ((decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at IS NULL) AND decided_by <> person_id)
  );
  CREATE TABLE bauta.token_use (
    workspace_id uuid NOT NULL,
    token_id uuid PRIMARY KEY REFERENCES bauta.token,
    used_at timestamptz NOT NULL
  );
  ${byWorkspace('access_review', 'SELECT, INSERT, UPDATE (closed_at, overdue_at)')}
  ${byWorkspace('access_review_item', 'SELECT, INSERT, UPDATE (decision, decided_by, decided_at, reason, effect)')}
  ${byWorkspace('token_use', 'SELECT')}

  -- Who comes with a key is known before his workspace is.
  CREATE FUNCTION bauta.note_token_use(used uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
    INSERT INTO bauta.token_use (workspace_id, token_id, used_at) SELECT t.workspace_id, t.id, pg_catalog.now() FROM bauta.token t WHERE t.id = used
      ON CONFLICT (token_id) DO UPDATE SET used_at = EXCLUDED.used_at $$;
  -- Workspaces with an administrator whose last review, or whose beginning, is longer ago than that.
  CREATE FUNCTION bauta.find_unreviewed_access(opened_before timestamptz) RETURNS TABLE (workspace_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT w.id FROM bauta.workspace w
      WHERE w.created_at <= opened_before
        AND NOT EXISTS (SELECT FROM bauta.access_review r WHERE r.workspace_id = w.id AND (r.closed_at IS NULL OR r.opened_at > opened_before))
        AND EXISTS (SELECT FROM bauta.role_grant g WHERE g.workspace_id = w.id AND g.role = 'administrator')
      LIMIT 200 $$;
  CREATE FUNCTION bauta.find_overdue_access_reviews(due_before timestamptz) RETURNS TABLE (workspace_id uuid, id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT r.workspace_id, r.id FROM bauta.access_review r
      WHERE r.closed_at IS NULL AND r.overdue_at IS NULL AND r.due_at <= due_before LIMIT 200 $$;
  REVOKE ALL ON FUNCTION bauta.note_token_use(uuid), bauta.find_unreviewed_access(timestamptz), bauta.find_overdue_access_reviews(timestamptz)
    FROM PUBLIC;
  GRANT EXECUTE ON FUNCTION bauta.note_token_use(uuid), bauta.find_unreviewed_access(timestamptz), bauta.find_overdue_access_reviews(timestamptz)
    TO bauta_service;`;

export class AccessReviews1763700000045 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(reviews);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
