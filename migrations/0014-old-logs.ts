// The one way in which leaves of the log go: a closed log, the oldest of its chain, whose time is over and whose deletion a later log has announced.
// No role has DELETE on these tables; the sequencer, which has just signed the announcement, may call this and nothing else.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OldLogs1763700000014 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- False: it is not one that may go, or it went before.
      CREATE FUNCTION bauta.delete_log(workspace uuid, name text) RETURNS boolean
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
        DECLARE
          ended record;
        BEGIN
          SELECT c.size, c.root, pg_catalog.split_part(c.note, E'\\n', 1) AS origin INTO ended FROM bauta.audit_checkpoint c
            WHERE c.workspace_id = workspace AND c.log = name ORDER BY c.size DESC LIMIT 1;
          IF NOT FOUND
            -- The oldest, and not the newest.
            OR EXISTS (SELECT FROM bauta.audit_leaf l WHERE l.workspace_id = workspace AND l.log COLLATE "C" < name COLLATE "C")
            OR NOT EXISTS (SELECT FROM bauta.audit_leaf l WHERE l.workspace_id = workspace AND l.log COLLATE "C" > name COLLATE "C")
            -- Announced as it ended, and kept for as long as the announcement says.
            OR NOT EXISTS (
              SELECT FROM bauta.audit_leaf l, bauta.audit_leaf closed
              WHERE l.workspace_id = workspace AND l.type = 'log.deleted.intended' AND l.log COLLATE "C" > name COLLATE "C"
                AND l.event -> 'data' ->> 'origin' = ended.origin AND l.event -> 'data' ->> 'root' = ended.root
                AND (l.event -> 'data' ->> 'size')::bigint = ended.size
                AND closed.workspace_id = workspace AND closed.log = name AND closed.type = 'log.closed' AND closed.position = ended.size - 1
                AND (closed.event ->> 'at')::timestamptz + (l.event -> 'data' ->> 'retentionDays')::integer * interval '24 hours'
                  <= pg_catalog.clock_timestamp())
          THEN RETURN false; END IF;
          -- Texts that no other entry speaks of have no reason to be there any more.
          DELETE FROM bauta.erasable_text t WHERE t.workspace_id = workspace
            AND t.commitment IN (SELECT bauta.commitments(l.event::text || coalesce(l.payload::text, ''))
              FROM bauta.audit_leaf l WHERE l.workspace_id = workspace AND l.log = name)
            AND t.commitment NOT IN (SELECT bauta.commitments(l.event::text || coalesce(l.payload::text, ''))
              FROM bauta.audit_leaf l WHERE l.workspace_id = workspace AND l.log <> name)
            AND t.commitment NOT IN (SELECT bauta.commitments(o.event::text) FROM bauta.outbox o WHERE o.workspace_id = workspace);
          DELETE FROM bauta.audit_leaf l WHERE l.workspace_id = workspace AND l.log = name;
          DELETE FROM bauta.audit_tile t WHERE t.workspace_id = workspace AND t.log = name;
          DELETE FROM bauta.audit_checkpoint c WHERE c.workspace_id = workspace AND c.log = name;
          RETURN true;
        END $$;

      CREATE FUNCTION bauta.commitments(event text) RETURNS SETOF text LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
        SELECT m[1] FROM pg_catalog.regexp_matches(event, '"committed" *: *"(sha256:[0-9a-f]{64})"', 'g') m $$;
      REVOKE ALL ON FUNCTION bauta.delete_log(uuid, text), bauta.commitments(text) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION bauta.delete_log(uuid, text) TO bauta_sequencer;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
