// Reports that are made every day: which periods there are, who is at one, and where it lies. Of each period one row, whoever sees first that it is due.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DailyReports1763700000046 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE bauta.daily_report (
        workspace_id uuid NOT NULL REFERENCES bauta.workspace,
        -- The last day of the period, on the clocks of its zone.
        day text NOT NULL CHECK (day ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'),
        period_from timestamptz NOT NULL,
        period_to timestamptz NOT NULL CHECK (period_to > period_from),
        zone text NOT NULL,
        -- By which the entry that it is due is found in the log.
        key uuid NOT NULL,
        attempts integer NOT NULL DEFAULT 0,
        next_at timestamptz NOT NULL,
        code text,
        holder uuid,
        heard_at timestamptz,
        made_at timestamptz,
        folder text,
        files json,
        PRIMARY KEY (workspace_id, day),
        UNIQUE (workspace_id, period_from),
        UNIQUE (workspace_id, period_to),
        CHECK ((made_at IS NULL) = (files IS NULL))
      );
      CREATE INDEX daily_report_open ON bauta.daily_report (next_at) WHERE made_at IS NULL;
      ALTER TABLE bauta.daily_report ENABLE ROW LEVEL SECURITY;
      CREATE POLICY by_workspace ON bauta.daily_report TO bauta_service
        USING (workspace_id = bauta.current_workspace()) WITH CHECK (workspace_id = bauta.current_workspace());
      GRANT SELECT, INSERT, UPDATE (attempts, next_at, code, holder, heard_at, made_at, folder, files) ON bauta.daily_report TO bauta_service;

      -- Of every workspace with a log: the end of the last period, or when the log began. Nothing of what is in it.
      CREATE FUNCTION bauta.find_report_days() RETURNS TABLE (workspace_id uuid, last_day text, last_to timestamptz, began_at timestamptz)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT w.id, d.day, d.period_to, (l.event ->> 'at')::timestamptz
        FROM bauta.workspace w
        LEFT JOIN LATERAL (
          SELECT r.day, r.period_to FROM bauta.daily_report r WHERE r.workspace_id = w.id ORDER BY r.period_to DESC LIMIT 1) d ON true
        JOIN LATERAL (
          SELECT a.event FROM bauta.audit_leaf a WHERE a.workspace_id = w.id ORDER BY a.log, a.position LIMIT 1) l ON true $$;

      -- Those that nobody has made and nobody is at, the oldest first.
      CREATE FUNCTION bauta.find_due_reports(at timestamptz, silent_ms double precision) RETURNS TABLE (workspace_id uuid, day text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
        SELECT r.workspace_id, r.day FROM bauta.daily_report r
        WHERE r.made_at IS NULL AND r.next_at <= at
          AND (r.holder IS NULL OR r.heard_at <= clock_timestamp() - silent_ms * interval '1 millisecond')
        ORDER BY r.period_to $$;
      REVOKE ALL ON FUNCTION bauta.find_report_days(), bauta.find_due_reports(timestamptz, double precision) FROM PUBLIC;
      GRANT EXECUTE ON FUNCTION bauta.find_report_days(), bauta.find_due_reports(timestamptz, double precision) TO bauta_service;
    `);
  }

  down(): Promise<void> {
    return Promise.reject(new Error('migrations go forward only'));
  }
}
