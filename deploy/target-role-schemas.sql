-- For a target on which nobody gets CREATEDB: versions are schemas of one database (swapSchemas in the pipeline). Run once in that database, as an
-- administrator, on PostgreSQL 15 or newer; then set the two passwords with \password bauta_target and \password bauta_builder.
-- bauta_target owns the database and swaps; bauta_builder runs the source's schema code, and may do nothing but fill what it is given.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['bauta_target', 'bauta_builder'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I LOGIN INHERIT NOCREATEDB NOCREATEROLE NOSUPERUSER NOREPLICATION NOBYPASSRLS', name);
    END IF;
  END LOOP;
  GRANT bauta_builder TO bauta_target;
  -- The environment's roles, under the names that a pipeline has without target.roles. Grant them to who needs them.
  FOREACH name IN ARRAY ARRAY['_owner', '_rw', '_ro'] LOOP
    EXECUTE format('CREATE ROLE %I NOLOGIN', current_database() || name);
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), current_database() || name);
  END LOOP;
  EXECUTE format('GRANT %I TO bauta_target', current_database() || '_owner');
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('ALTER DATABASE %I OWNER TO bauta_target', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO bauta_builder', current_database());
  -- What everybody may use, the builder may use.
  REVOKE ALL ON SCHEMA public FROM PUBLIC;
END
$$;
-- Extensions of the source, each in the schema where the source has it and where nothing else is, for example:
--   CREATE SCHEMA extensions; CREATE EXTENSION citext WITH SCHEMA extensions;
--   GRANT USAGE ON SCHEMA extensions TO bauta_builder, shop_dev_owner, shop_dev_rw, shop_dev_ro;
-- If it may be: sessions that are connected while versions are swapped are then sent away, and do not fail once at what they prepared.
--   GRANT pg_signal_backend TO bauta_target;
