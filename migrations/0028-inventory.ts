// What there is of each environment is read by the environment, however many versions it had; and which policy a version was decided on by has a
// name that people know beside its digest.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Inventory1763700000028 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Null: it was published before this was kept.
      ALTER TABLE bauta.dataset_version ADD COLUMN policy_revision text;
      GRANT UPDATE (policy_revision) ON bauta.dataset_version TO bauta_service;
      CREATE INDEX dataset_version_by_environment ON bauta.dataset_version (workspace_id, environment) WHERE published_at IS NOT NULL;
      CREATE INDEX dataset_version_current_by_environment ON bauta.dataset_version (workspace_id, environment)
        WHERE published_at IS NOT NULL AND replaced_at IS NULL AND dropped_at IS NULL;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
