#!/bin/sh
# A clone of the published copy for one pull request, by the service. It needs a POSIX shell, curl and jq.
#
#   clone.sh make FILE   asks for BAUTA_FOR, waits, redeems the one-time link, and writes the connection string to FILE
#   clone.sh drop FILE   gives back the clone that FILE was written for
#
# BAUTA: the service, as https://bauta.internal.  BAUTA_ENVIRONMENT: of which environment.  BAUTA_FOR: what for, as pr-123.  BAUTA_HOURS: how long.
# BAUTA_TOKEN: an API key or a job's identity token. A job's token is good for one request: make and drop need one each, and the link needs none.
set -eu
umask 077

ask() { printf 'Authorization: Bearer %s\n' "$BAUTA_TOKEN" | curl -sSf -H @- -H 'Content-Type: application/json' "$@"; }

case "$1" in
  make)
    wanted=$(jq -nc --arg for "$BAUTA_FOR" --argjson hours "${BAUTA_HOURS:-24}" '{for: $for, hours: $hours}')
    asked=$(ask "$BAUTA/v1/environments/$BAUTA_ENVIRONMENT/clones" -d "$wanted")
    printf '%s\n' "$asked" | jq -r .id > "$2.id"
    link=$(printf '%s\n' "$asked" | jq -r .link)
    while [ "$(curl -sSf "$BAUTA${link%%#*}" | jq -r .state)" = waiting ]; do sleep 1; done
    printf '%s' "${link#*#}" | jq -Rc '{secret: .}' |
      curl -sSf -H 'Content-Type: application/json' "$BAUTA${link%%#*}" -d @- | jq -r .connection > "$2"
    ;;
  drop)
    ask -X DELETE "$BAUTA/v1/environments/$BAUTA_ENVIRONMENT/clones/$(cat "$2.id")" > /dev/null
    rm -f "$2" "$2.id"
    ;;
  *) exit 3 ;;
esac
