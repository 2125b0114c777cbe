-- For a target whose versions are cloned: run once, as an administrator, in the database postgres. A new database lets everybody connect, the login
-- of a clone too, so what is there already is closed to those who were given nothing there. Grant CONNECT to those who need it, before or after.
-- Databases that Bauta makes are closed from the beginning.
GRANT CONNECT ON DATABASE postgres TO bauta_target;
REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;
-- Other databases of this server, each by its name:
-- REVOKE CONNECT ON DATABASE wiki FROM PUBLIC;
