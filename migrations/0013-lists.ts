// Lists of a page at a time, read in the order of an index whatever they are filtered by, also where nothing fits the filter.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Lists1763700000013 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Ids are ASCII and sorted as bytes. The primary key, which is not, is in no such order: it would be read through the runs of every workspace.
      CREATE INDEX run_by_id ON bauta.run (workspace_id, id COLLATE "C");
      CREATE INDEX run_by_state ON bauta.run (workspace_id, state, id COLLATE "C");
      CREATE INDEX run_by_pipeline ON bauta.run (workspace_id, pipeline, id COLLATE "C");
      CREATE INDEX run_by_pipeline_and_state ON bauta.run (workspace_id, pipeline, state, id COLLATE "C");
      CREATE INDEX run_by_environment ON bauta.run (workspace_id, environment, id COLLATE "C");
      CREATE INDEX approval_by_age ON bauta.approval (workspace_id, requested_at, id);
      CREATE INDEX approval_by_state ON bauta.approval (workspace_id, state, requested_at, id);
      CREATE INDEX notification_by_state ON bauta.notification (workspace_id, state, created_at, id);
      CREATE INDEX idempotency_by_age ON bauta.idempotency (workspace_id, created_at);
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
