import type { MigrationInterface, QueryRunner } from 'typeorm';

export class NoticesByPage1763700000050 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      -- What waits behind a notice, in every workspace: ids only, a page at a time. One that cannot be taken keeps its place, and the rest is seen all the same.
      -- The function without an argument stays for the release before.
      CREATE FUNCTION bauta.find_notices(after bigint, most int) RETURNS TABLE (workspace_id uuid, id bigint)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS
        $$ SELECT n.workspace_id, n.id FROM bauta.notice n WHERE n.id > after ORDER BY n.id LIMIT most $$;
      REVOKE ALL ON FUNCTION bauta.find_notices(bigint, int) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION bauta.find_notices(bigint, int) TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
