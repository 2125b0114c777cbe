#!/bin/sh
# Runs once, when a server of docker-compose.yml is made: its SQL files in order, then the passwords of its roles, from files.
# Usage: init.sh; the SQL files are /init/*.sql, the passwords /run/secrets/<role>.password. Both folders may be given by INIT and SECRETS.
set -eu
init=${INIT:-/init}
secrets=${SECRETS:-/run/secrets}
sql() { psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" "$@"; }
for file in "$init"/*.sql; do sql --file "$file" >/dev/null; done
for file in "$secrets"/*.password; do
  role=$(basename "$file" .password)
  # psql itself reads the file: a password on a command line is there for everybody who asks for the list of processes.
  PASSWORD_FILE=$file sql --set=role="$role" <<'SQL'
\set password `cat "$PASSWORD_FILE"`
SET log_statement = 'none';
SET log_min_duration_statement = -1;
ALTER ROLE :"role" PASSWORD :'password';
SQL
done
