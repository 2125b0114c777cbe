-- The three roles of the metadata database, run once by its administrator, in that database. Passwords are set apart: \password bauta_owner, and so on.
-- owner makes and changes tables (migrations) and is nobody else; service is what api and worker log in as; sequencer alone writes the audit log.
DO $$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['bauta_owner', 'bauta_service', 'bauta_sequencer'] LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = wanted) THEN
      EXECUTE pg_catalog.format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS NOINHERIT', wanted);
    END IF;
  END LOOP;
  EXECUTE pg_catalog.format('REVOKE ALL ON DATABASE %I FROM PUBLIC', pg_catalog.current_database());
  EXECUTE pg_catalog.format('GRANT CONNECT ON DATABASE %I TO bauta_service, bauta_sequencer', pg_catalog.current_database());
  EXECUTE pg_catalog.format('GRANT CONNECT, CREATE ON DATABASE %I TO bauta_owner', pg_catalog.current_database());
END
$$;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
