// Identity tokens of jobs, each of which is taken once: what was taken, for as long as it could come again.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Identities1763700000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Of no workspace: nobody reads it, and it is written by the function alone.
      CREATE TABLE bauta.used_identity (digest bytea PRIMARY KEY, ends_at timestamptz NOT NULL);
      CREATE INDEX used_identity_ended ON bauta.used_identity (ends_at);
      ALTER TABLE bauta.used_identity ENABLE ROW LEVEL SECURITY;

      -- Whoever comes second waits here until the first has committed. An hour is kept beyond the end: clocks differ.
      CREATE FUNCTION bauta.use_identity(wanted bytea, ends timestamptz) RETURNS boolean
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
        BEGIN
          DELETE FROM bauta.used_identity WHERE digest IN (
            SELECT u.digest FROM bauta.used_identity u WHERE u.ends_at < pg_catalog.now() - interval '1 hour'
            ORDER BY u.ends_at LIMIT 100 FOR UPDATE SKIP LOCKED);
          INSERT INTO bauta.used_identity (digest, ends_at) VALUES (wanted, ends) ON CONFLICT (digest) DO NOTHING;
          RETURN FOUND;
        END $$;
      REVOKE ALL ON FUNCTION bauta.use_identity(bytea, timestamptz) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION bauta.use_identity(bytea, timestamptz) TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
