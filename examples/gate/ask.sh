#!/bin/sh
# May this version go to that environment? Prints the answer; exit 0: yes, 2: no, 1: it could not be asked or decided, which is no yes.
# Needs curl and jq. BAUTA: the service; BAUTA_TOKEN: an API key or the job's identity token; BAUTA_GATE, BAUTA_ENVIRONMENT, BAUTA_SERVICE;
# and what is deployed, as far as the gate asks for it: BAUTA_COMMIT, BAUTA_IMAGE (NAME@sha256:…), BAUTA_STATEMENT (a file, of `bauta attest --json`).
set -eu
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
question() {
  if [ -n "${BAUTA_STATEMENT:-}" ]; then cat "$BAUTA_STATEMENT"; else echo null; fi |
    jq -c --arg environment "$BAUTA_ENVIRONMENT" --arg service "$BAUTA_SERVICE" --arg commit "${BAUTA_COMMIT:-}" --arg image "${BAUTA_IMAGE:-}" '
      { environment: $environment, service: $service, commit: $commit, image: $image, statement: . }
      | with_entries(select(.value != null and .value != ""))'
}
if [ "${1:-}" = question ]; then question; exit 0; fi
asked=$(question) || exit 1
# The token stands in no list of processes: curl reads it from its standard input.
status=$(printf 'header = "Authorization: Bearer %s"\n' "$BAUTA_TOKEN" |
  curl -sS --max-time 30 --config - -o "$answer" -w '%{http_code}' -H 'Content-Type: application/json' --data-binary "$asked" \
    "$BAUTA/v1/gates/$BAUTA_GATE/decisions") || { echo "the gate was not reached" >&2; exit 1; }
[ "$status" = 200 ] || { echo "no answer: $status $(jq -r '.code // empty' "$answer" 2>/dev/null)" >&2; exit 1; }
jq -r '"\(if .allow then "allow" else "deny" end): score \(.score) of \(.threshold), decision \(.decisionId)", (.reasons[] | "  \(.code): \(.message)\n    \(.hint)")' "$answer" || exit 1
case $(jq -r .allow "$answer") in true) exit 0 ;; false) exit 2 ;; *) exit 1 ;; esac
