// What the checks of a dataset version counted, in sum: a fact of the version, for gates. What each of them counted stands with its run.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Checks1763700000025 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- { pass, fail, notRun }. NULL: published before there were checks.
      ALTER TABLE bauta.dataset_version ADD COLUMN checks json;
      GRANT UPDATE (checks) ON bauta.dataset_version TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
