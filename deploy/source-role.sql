-- The role with which Bauta reads a source: run once, as an administrator, then set a password with \password bauta_source.
-- It can read every table and sequence and write none. BYPASSRLS, because a row-level policy that hides rows would make a smaller copy:
-- without it such a table is refused, not copied in part. Instead of pg_read_all_data you may grant SELECT table by table; what is missing is named.
CREATE ROLE bauta_source LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION BYPASSRLS;
GRANT pg_read_all_data TO bauta_source;

-- Optional, for `bauta run --reuse`, which takes the version that is there if the source has not changed since: only a role that sees the statistics of
-- other sessions can tell whether they have changes yet to be counted; without it nothing is reused. It shows the role what others are running, with
-- whatever values stand in their statements, and so it is not given by itself.
-- GRANT pg_read_all_stats TO bauta_source;
