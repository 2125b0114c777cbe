#!/bin/sh
# Starts a Postgres of docker-compose.yml with TLS. The server wants its key to be its own and nobody else's, which a mounted secret is not.
set -eu
install -o postgres -g postgres -m 0600 /run/secrets/server.key /tmp/server.key
exec docker-entrypoint.sh postgres -c ssl=on -c ssl_cert_file=/run/secrets/server.crt -c ssl_key_file=/tmp/server.key \
  -c ssl_min_protocol_version=TLSv1.3 "$@"
