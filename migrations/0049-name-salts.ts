// The log knows a person's name by a commitment to it. What it is salted with stands beside the name, and goes with it: without it nobody can try names.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class NameSalts1763700000049 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- NULL: who came before nobody committed to, and of who was erased nothing is left to commit to.
      ALTER TABLE bauta.person ADD COLUMN name_salt bytea;

      CREATE FUNCTION bauta.forget_name_salt() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
        BEGIN
          NEW.name_salt := NULL;
          RETURN NEW;
        END $$;
      REVOKE ALL ON FUNCTION bauta.forget_name_salt() FROM PUBLIC;
      CREATE TRIGGER forget_name_salt BEFORE UPDATE ON bauta.person FOR EACH ROW WHEN (NEW.erased_at IS NOT NULL)
        EXECUTE FUNCTION bauta.forget_name_salt();
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
