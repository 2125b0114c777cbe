// What a run tells people while it goes, so that whoever follows it from elsewhere sees what he would have seen beside it.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Told1763700000012 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE bauta.run_told (
        workspace_id uuid NOT NULL,
        run_id text NOT NULL,
        seq integer NOT NULL CHECK (seq > 0),
        attempt integer NOT NULL,
        told json NOT NULL,
        PRIMARY KEY (run_id, seq),
        FOREIGN KEY (workspace_id, run_id) REFERENCES bauta.run (workspace_id, id)
      );
      ALTER TABLE bauta.run_told ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.run_told TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, INSERT ON bauta.run_told TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
