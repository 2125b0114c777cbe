-- The role with which Bauta provisions a target server: run once, as an administrator, then set a password with \password bauta_target.
-- It makes databases and roles, and ends the sessions of the database that it replaces; it reads no other database.
CREATE ROLE bauta_target LOGIN INHERIT CREATEDB CREATEROLE NOSUPERUSER NOREPLICATION NOBYPASSRLS;
GRANT pg_signal_backend TO bauta_target;
