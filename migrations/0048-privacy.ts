// What was measured of the privacy of a dataset version, in sum: a fact of the version, for gates. Where each figure comes from stands with its run.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Privacy1763700000048 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- { worst, unmeasured }. NULL: nothing was measured, and nothing is known.
      ALTER TABLE bauta.dataset_version ADD COLUMN privacy json;
      GRANT UPDATE (privacy) ON bauta.dataset_version TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
