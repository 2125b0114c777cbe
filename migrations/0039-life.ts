// Errands that another worker finishes when theirs is gone; and what is handed to the worker of one and never kept: its public key of the moment, and
// what was sealed for it, until it has been taken.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Life1763700000039 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE bauta.errand
        -- When it was given to another worker, to bring what was begun to its end.
        ADD COLUMN resumed_at timestamptz,
        -- Of the worker that has it, for this errand alone: the other half is in its memory and nowhere else.
        ADD COLUMN recipient bytea CHECK (octet_length(recipient) = 32),
        ADD COLUMN handed bytea;
      GRANT UPDATE (resumed_at, recipient, handed) ON bauta.errand TO bauta_service;

      -- In any workspace, ids only: of these kinds, what was begun and is at no end. The row's lock lets one of those who look have it.
      CREATE FUNCTION bauta.find_unfinished_errands(kinds text[], heard_before timestamptz, asked_before timestamptz)
        RETURNS TABLE (workspace_id uuid, id text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT e.workspace_id, e.id FROM bauta.errand e
        WHERE e.kind = ANY (kinds) AND (
          e.ended_at IS NULL AND (e.heard_at <= heard_before OR e.started_at IS NULL AND e.resumed_at <= asked_before)
          OR e.error ->> 'code' = 'ERRAND_ABANDONED')
        ORDER BY e.created_at LIMIT 200 $$;
      REVOKE ALL ON FUNCTION bauta.find_unfinished_errands(text[], timestamptz, timestamptz) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION bauta.find_unfinished_errands(text[], timestamptz, timestamptz) TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
