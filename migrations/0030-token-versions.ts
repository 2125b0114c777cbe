// Under which version of its key a domain's newest token is: looked up whenever a token is to be made, so that nobody makes one by an older list of
// versions while another has the value under a newer one.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class TokenVersions1763700000030 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX token_entry_by_version ON bauta.token_entry (workspace_id, environment, domain, key_version)');
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
