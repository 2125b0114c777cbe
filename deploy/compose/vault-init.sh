#!/bin/sh
# Makes the Vault of docker-compose.yml ready, and unseals it after each start, because it starts sealed:
#   docker compose --profile vault up --wait vault && sh deploy/compose/vault-init.sh dev
# Usage: vault-init.sh [environment…]: those of the workspace `default` that get a masking key. The first time it prints five shares of the unseal key,
# which are nowhere else; later it reads three of them, one a line. What it needs once is done with the root token, which is in secrets/ for the time
# of it and revoked then. Cut off, it is run again. For more later: a new root token (vault operator generate-root) in secrets/vault_root_token.
# SECRETS and VAULT_ADDR name another folder and another Vault. Needs curl.
set -eu
umask 077
here=$(dirname "$0")
secrets=${SECRETS:-$here/../../secrets}
address=${VAULT_ADDR:-https://localhost:8200}
root=$secrets/vault_root_token

say() { echo "$*" >&2; }
fail() { say "$@" && exit 1; }
case $address in
https://* | http://127.0.0.1:*) ;;
*) fail "refused: $address is neither https nor this machine" ;;
esac
for environment; do
  case $environment in '' | *[!a-z0-9-]*) fail "no name of an environment: small letters, digits and -" ;; esac
done
[ -e "$secrets/complete" ] || fail "first: sh deploy/compose/make-secrets.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"; [ ! -t 0 ] || stty echo' EXIT
trap 'exit 1' HUP INT TERM
printf 'Content-Type: application/json\n' >"$work/head"
# No token and no share is on a command line, where everybody who asks for the list of processes sees it. An answer is never shown.
call() { curl --disable --silent --noproxy '*' --max-time 60 --cacert "$secrets/ca.crt" --header @"$work/head" "$@"; }
# ask METHOD PATH: with the body that comes by standard input.
ask() { call --show-error --fail --request "$1" --data-binary @- "$address/v1/$2"; }
look() { call --fail --output /dev/null "$address/v1/$1"; }
state() { call --output /dev/null --write-out '%{http_code}' "$address/v1/sys/health" || true; }
# field NAME: of the JSON that comes by standard input, a text.
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

unseal() {
  while [ "$(state)" = 503 ]; do
    [ ! -t 0 ] || { stty -echo && say 'a share of the unseal key:'; }
    IFS= read -r share || fail 'it is sealed still: it takes more shares'
    case $share in '' | *[!0-9A-Za-z+/=]*) fail 'that is no share' ;; esac
    printf '{"key":"%s"}' "$share" | ask PUT sys/unseal >/dev/null
  done
}

case $(state) in
501)
  answer=$(printf '{"secret_shares":5,"secret_threshold":3}' | ask PUT sys/init)
  printf '%s' "$answer" | field root_token >"$root"
  shares=$(printf '%s' "$answer" | sed -n 's/.*"keys":\[\([^]]*\)\].*/\1/p' | tr -d '"' | tr ',' '\n')
  say 'Shares of the unseal key. Three of them unseal it, and nobody can without: keep them apart, and not here.'
  printf '%s\n' "$shares"
  printf '%s\n' "$shares" | unseal
  ;;
503) unseal ;;
200 | 429) ;;
*) fail "no Vault answers at $address" ;;
esac
tries=0
until [ "$(state)" = 200 ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 60 ] || fail 'it is unsealed, and does not become active'
  sleep 1
done
if [ ! -e "$root" ]; then
  [ $# -eq 0 ] || fail "unsealed; to make keys, put a root token into $root"
  say 'unsealed'
  exit 0
fi

printf 'X-Vault-Token: %s\n' "$(cat "$root")" >>"$work/head"
look auth/token/lookup-self || fail "the token in $root is not valid: remove it, or put a new root token there"
look sys/mounts/secret || printf '{"type":"kv","options":{"version":"2"}}' | ask POST sys/mounts/secret
look sys/mounts/transit || printf '{"type":"transit"}' | ask POST sys/mounts/transit
look sys/auth/approle || printf '{"type":"approle"}' | ask POST sys/auth/approle
for file in "$here"/../vault/*.hcl; do
  { printf '{"policy":"' && sed 's/\\/\\\\/g; s/"/\\"/g' "$file" | awk '{ printf "%s\\n", $0 }' && printf '"}'; } |
    ask PUT "sys/policies/acl/bauta-$(basename "$file" .hcl)"
done
for environment; do
  key=transit/keys/bauta-masking-default-$(printf '%s' "$environment" | sed 's/-/_2d/g')
  look "$key" || printf '{"type":"hmac","key_size":32}' | ask POST "$key" >/dev/null
done

# A token of it is renewed for as long as somebody does: no end after which what it leased is gone.
printf '{"token_policies":["bauta-masking","bauta-secrets"],"token_period":"1h"}' | ask POST auth/approle/role/bauta-worker
# keep FILE: what comes by standard input; the folder is what keeps others out, as in make-secrets.sh.
keep() {
  cat >"$work/kept"
  [ -s "$work/kept" ] || fail "Vault gave no $1"
  chmod 0444 "$work/kept"
  mv -f "$work/kept" "$secrets/$1"
}
ask GET auth/approle/role/bauta-worker/role-id </dev/null | field role_id | keep vault_role_id
[ -e "$secrets/vault_secret_id" ] || ask POST auth/approle/role/bauta-worker/secret-id </dev/null | field secret_id | keep vault_secret_id
ask POST auth/token/revoke-self </dev/null
rm -f "$root"
say "ready: the worker's login is in $secrets, the root token is revoked"
