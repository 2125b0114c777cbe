#!/bin/sh
# Gives a principal of Bauta what it needs at a broker, and nothing else (README.md beside it has the table). The authorizer MUST be on there:
# without one everybody may do everything.
#   BOOTSTRAP=kafka:9093 CONFIG=admin.properties sh deploy/kafka/grant.sh service User:bauta-service WORKSPACE
#   … agent   User:bauta-agent-dev WORKSPACE ENVIRONMENT    an agent, of one environment
#   … reader  User:spark WORKSPACE ENVIRONMENT              reads published rows of one environment, in groups called GROUP… (its name, by default)
#   … events  User:bauta-events                             publishes audit, usage and lineage events
#   … auditor User:siem                                     reads them
#   … grantor User:bauta-service                            may give readers rights at publication: too much for anybody who does not need it
# REMOVE=1 takes the same away. PREFIX is what topics begin with (bauta), KAFKA_ACLS the tool (kafka-acls.sh), CONFIG its --command-config.
set -eu
fail() {
  echo "$*" >&2
  exit 1
}
kind=${1:-} principal=${2:-} workspace=${3:-} environment=${4:-}
prefix=${PREFIX:-bauta}
[ -n "${BOOTSTRAP:-}" ] || fail 'BOOTSTRAP is missing: HOST:PORT of the broker'
case $principal in User:?*) ;; *) fail "refused: $principal is no principal, which is User:NAME" ;; esac
case $principal in *[*]* | User:ANONYMOUS) fail "refused: $principal is everybody" ;; esac

# What a name is in a topic's, as src/systems/kafka/wire/topic-names.ts writes it.
part() {
  case $1 in '' | [!A-Za-z0-9]* | *[!A-Za-z0-9._-]*) fail "refused: $2 $1 is no name of one" ;; esac
  printf '%s' "$1" | awk -v digest="$(printf '%s' "$1" | sha256sum | cut -c1-32)" '{
    for (i = 1; i <= length($0); i++) {
      letter = substr($0, i, 1)
      word = letter == "-" ? "--" : letter == "." ? "-2e" : letter == "_" ? "-5f" : letter
      whole = whole word
      if (!full && length(begin word) > 63 - 34) full = 1
      if (!full) begin = begin word
    }
    printf "%s", length(whole) <= 63 ? whole : begin "-x" digest
  }'
}

# acls PATTERN RESOURCE… --operation …: literal or prefixed.
acls() {
  pattern=$1
  shift
  if [ -n "${REMOVE:-}" ]; then set -- --remove --force "$@"; else set -- --add "$@"; fi
  [ -z "${CONFIG:-}" ] || set -- --command-config "$CONFIG" "$@"
  # Ranges of addresses are the network's to keep: --allow-host knows single ones only.
  "${KAFKA_ACLS:-kafka-acls.sh}" --bootstrap-server "$BOOTSTRAP" "$@" --allow-principal "$principal" --resource-pattern-type "$pattern" >/dev/null
}
events="--topic $prefix.audit --topic $prefix.audit.checkpoints --topic $prefix.usage --topic $prefix.lineage"

case $kind in
service)
  # Its topics would begin as those of the audit log do.
  [ "$workspace" != audit ] || fail 'refused: the workspace audit needs a PREFIX of its own'
  all=$prefix.$(part "$workspace" workspace).
  acls prefixed --topic "$all" --operation Create --operation DescribeConfigs --operation Read --operation Write --operation Delete
  acls prefixed --transactional-id "$all" --operation Write
  ;;
agent)
  own=$prefix.$(part "$workspace" workspace).$(part "$environment" environment).
  acls literal --topic "${own}control" --operation Read
  acls literal --topic "${own}receipts" --operation Write
  acls prefixed --topic "${own}bulk." --operation Read
  ;;
reader)
  own=$prefix.$(part "$workspace" workspace).$(part "$environment" environment).
  acls prefixed --topic "${own}rows." --operation Read
  # What says which version it is, and whether all of it is there.
  acls literal --topic "${own}control" --operation Read
  acls prefixed --group "${GROUP:-${principal#User:}}" --operation Read
  ;;
events)
  # shellcheck disable=SC2086 # four words of it each
  acls literal $events --operation Create --operation Write
  ;;
auditor)
  # shellcheck disable=SC2086
  acls literal $events --operation Read
  acls prefixed --group "${GROUP:-${principal#User:}}" --operation Read
  ;;
grantor) acls literal --cluster --operation Alter ;;
*) fail "refused: ${kind:-nothing} is none of service, agent, reader, events, auditor and grantor" ;;
esac
if [ -n "${REMOVE:-}" ]; then done="taken from"; else done="given to"; fi
echo "$done $principal: $kind $workspace $environment" >&2
