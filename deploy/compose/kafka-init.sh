#!/bin/sh
# Gives the service and the agent of docker-compose.yml their rights at its broker, for environments of the workspace `default`; again changes nothing:
#   docker compose --profile kafka up --wait kafka && docker compose exec kafka sh /compose/kafka-init.sh dev
# KAFKA, CONFIG and BOOTSTRAP name other places than the container's.
set -eu
[ $# -gt 0 ] || { echo 'usage: kafka-init.sh ENVIRONMENT…' >&2 && exit 1; }
export KAFKA_ACLS="${KAFKA:-/opt/kafka}/bin/kafka-acls.sh" BOOTSTRAP="${BOOTSTRAP:-localhost:9095}" CONFIG="${CONFIG:-/compose/kafka-admin.properties}"
grant=$(dirname "$0")/grant.sh
[ -e "$grant" ] || grant=$(dirname "$0")/../kafka/grant.sh
sh "$grant" service User:bauta-service default
sh "$grant" events User:bauta-service
for environment; do sh "$grant" agent User:bauta-agent default "$environment"; done
