#!/bin/sh
# Makes what docker-compose.yml needs to know and nobody else: passwords, connection strings, a server key, and certificates for five servers.
# Once: a second time changes nothing. Usage: sh deploy/compose/make-secrets.sh [folder], by default secrets/ beside docker-compose.yml.
set -eu
umask 077
folder=${1:-$(dirname "$0")/../../secrets}
if [ -e "$folder/complete" ]; then
  echo "there already: $folder" >&2
  exit 0
fi
mkdir -p "$folder"
cd "$folder"

random() { openssl rand -hex 24 | tr -d '\n'; }
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj '/CN=bauta compose' \
  -keyout ca.key -out ca.crt 2>/dev/null
for server in metadata source target vault kafka; do
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$server" -keyout "$server.key" -out "$server.csr" 2>/dev/null
  # A broker is a client of itself.
  [ "$server" != kafka ] || more=,clientAuth
  printf 'subjectAltName=DNS:%s,DNS:localhost\nextendedKeyUsage=serverAuth%s\n' "$server" "${more:-}" >"$server.ext"
  openssl x509 -req -in "$server.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -extfile "$server.ext" -out "$server.crt" 2>/dev/null
  rm "$server.csr" "$server.ext"
done
# Nobody signs another certificate with it.
rm -f ca.key ca.srl

# login NAME ROLE SERVER DATABASE CA: a password, and the connection string that has it. CA is where the container sees the authority.
login() {
  random >"$1_password"
  printf 'postgres://%s:%s@%s:5432/%s?sslmode=verify-full&sslrootcert=%s\n' "$2" "$(cat "$1_password")" "$3" "$4" "$5" >"$1_url"
}
for server in metadata source target; do random >"${server}_superuser_password"; done
login metadata_owner bauta_owner metadata bauta /run/bauta/ca.crt
login metadata_service bauta_service metadata bauta /run/bauta/ca.crt
login metadata_sequencer bauta_sequencer metadata bauta /run/bauta/ca.crt
login source bauta_source source shop /run/bauta/ca.crt
login target bauta_target target shop /run/bauta/ca.crt
# A broker reads key and certificate out of one file.
cat kafka.key kafka.crt >kafka.pem
rm kafka.key kafka.crt
# broker NAME ROLE: the same for the broker; who reads it trusts the authority by NODE_EXTRA_CA_CERTS.
broker() {
  random >"broker_$1_password"
  printf 'kafkas://%s:%s@kafka:9093?mechanism=scram-sha-512\n' "$2" "$(cat "broker_$1_password")" >"broker_$1_url"
}
broker service bauta-service
broker agent bauta-agent
openssl rand -base64 32 | tr -d '\n' >server_key
openssl rand -base64 32 | tr -d '\n' >log_key

# Compose mounts a secret with the mode that it has here, and the image's user is not you: the folder is what keeps others out.
# What an agent is enrolled by comes later, by you.
: >agent_token
chmod 0444 ./*
chmod 0644 agent_token
chmod 0700 .
: >complete
echo "made: $folder (keep it out of version control)" >&2
