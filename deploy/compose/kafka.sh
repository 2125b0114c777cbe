#!/bin/sh
# Starts the broker of docker-compose.yml. The first time its disk is made ready, with the logins: a user for each NAME.password in /run/secrets, of which it
# keeps what is derived, not the password. (They are on a command line for that moment, in a container where nobody else is.)
# KAFKA, CONFIG, DATA and SECRETS name other places than the image's.
set -eu
kafka=${KAFKA:-/opt/kafka}
config=${CONFIG:-/compose/kafka.properties}
data=${DATA:-/var/lib/kafka/data}
if [ ! -e "$data/meta.properties" ]; then
  set --
  for file in "${SECRETS:-/run/secrets}"/*.password; do
    set -- "$@" --add-scram "SCRAM-SHA-512=[name=$(basename "$file" .password),password=$(cat "$file")]"
  done
  "$kafka/bin/kafka-storage.sh" format --cluster-id "$("$kafka/bin/kafka-storage.sh" random-uuid)" --config "$config" "$@"
fi
exec "$kafka/bin/kafka-server-start.sh" "$config"
