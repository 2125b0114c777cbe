// What is measured of the whole installation without anybody seeing what is in it, and the trace that a run belongs to.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Observation1763700000008 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION bauta.outbox_lag() RETURNS TABLE (entries bigint, oldest_seconds double precision)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT pg_catalog.count(*), coalesce(extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.min((event ->> 'at')::timestamptz)), 0)
        FROM bauta.outbox $$;
      REVOKE ALL ON FUNCTION bauta.outbox_lag() FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION bauta.outbox_lag() TO bauta_service;

      -- W3C trace context of the request that asked for the run.
      ALTER TABLE bauta.run ADD COLUMN traceparent text CHECK (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$');
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
