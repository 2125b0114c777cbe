// How many runs there are in each state, without reading them: each statement that changes that adds what it changed, and nobody waits for
// anybody else's row.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class RunTally1763700000027 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE bauta.run_tally (workspace_id uuid NOT NULL REFERENCES bauta.workspace, state text NOT NULL, runs bigint NOT NULL);
      CREATE INDEX run_tally_by_workspace ON bauta.run_tally (workspace_id);
      INSERT INTO bauta.run_tally (workspace_id, state, runs) SELECT workspace_id, state, count(*) FROM bauta.run GROUP BY workspace_id, state;

      -- Every so often what was added is folded into a row for each state; another one who folds has his rows locked, and they stay.
      CREATE FUNCTION bauta.fold_run_tally() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
        WITH locked AS (SELECT ctid FROM bauta.run_tally FOR UPDATE SKIP LOCKED),
          gone AS (DELETE FROM bauta.run_tally t USING locked l WHERE t.ctid = l.ctid RETURNING t.workspace_id, t.state, t.runs)
        INSERT INTO bauta.run_tally (workspace_id, state, runs)
        SELECT workspace_id, state, pg_catalog.sum(runs) FROM gone GROUP BY workspace_id, state HAVING pg_catalog.sum(runs) <> 0 $$;

      CREATE FUNCTION bauta.tally_runs() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
        BEGIN
          IF TG_OP = 'INSERT' THEN
            INSERT INTO bauta.run_tally (workspace_id, state, runs) SELECT workspace_id, state, pg_catalog.count(*) FROM after GROUP BY 1, 2;
          ELSE
            INSERT INTO bauta.run_tally (workspace_id, state, runs)
            SELECT workspace_id, state, pg_catalog.sum(runs) FROM (
              SELECT workspace_id, state, 1 AS runs FROM after UNION ALL SELECT workspace_id, state, -1 FROM before) changed
            GROUP BY 1, 2 HAVING pg_catalog.sum(runs) <> 0;
          END IF;
          IF pg_catalog.random() < 0.02 THEN PERFORM bauta.fold_run_tally(); END IF;
          RETURN NULL;
        END $$;
      REVOKE ALL ON FUNCTION bauta.fold_run_tally(), bauta.tally_runs() FROM PUBLIC;
      CREATE TRIGGER tally_inserted AFTER INSERT ON bauta.run REFERENCING NEW TABLE AS after
        FOR EACH STATEMENT EXECUTE FUNCTION bauta.tally_runs();
      CREATE TRIGGER tally_updated AFTER UPDATE ON bauta.run REFERENCING OLD TABLE AS before NEW TABLE AS after
        FOR EACH STATEMENT EXECUTE FUNCTION bauta.tally_runs();

      ALTER TABLE bauta.run_tally ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.run_tally TO bauta_service USING (workspace_id = bauta.current_workspace());
      GRANT SELECT ON bauta.run_tally TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
