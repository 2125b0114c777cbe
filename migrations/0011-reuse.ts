// Runs for which a version that is there will do, if it is what they would make.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Reuse1763700000011 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE bauta.run ADD COLUMN reuse boolean NOT NULL DEFAULT false');
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
