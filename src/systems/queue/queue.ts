// The door of the queue (graphile-worker): its tables, made by the owner, and what the service role may do with them.
import { Logger, makeWorkerUtils } from 'graphile-worker';

/** Errors are told by whoever called; the queue's own words may hold anything. */
export const silent = new Logger(() => () => undefined);

/** As the owner. Tables of the queue have row-level security without a policy: only the service role gets one. */
export async function migrateQueue(url: string): Promise<void> {
  const utils = await makeWorkerUtils({ connectionString: url, logger: silent });
  try {
    await utils.migrate();
    await utils.withPgClient((client) => client.query(rights));
  } finally {
    await utils.release();
  }
}

const rights = `
DO $$
DECLARE
  one record;
BEGIN
  GRANT USAGE ON SCHEMA graphile_worker TO bauta_service;
  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA graphile_worker TO bauta_service;
  REVOKE INSERT, UPDATE, DELETE ON graphile_worker.migrations FROM bauta_service;
  GRANT USAGE ON ALL SEQUENCES IN SCHEMA graphile_worker TO bauta_service;
  FOR one IN SELECT c.relname FROM pg_catalog.pg_class c WHERE c.relnamespace = 'graphile_worker'::regnamespace AND c.relrowsecurity LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_policies WHERE schemaname = 'graphile_worker' AND tablename = one.relname) THEN
      EXECUTE pg_catalog.format('CREATE POLICY service ON graphile_worker.%I TO bauta_service USING (true) WITH CHECK (true)', one.relname);
    END IF;
  END LOOP;
END
$$`;
