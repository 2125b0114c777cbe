# METADATA
# scope: package
# title: May these values be exchanged?
# description: >-
#   Asked before values become tokens or tokens values, outside of a run. Both are the same to the gate: who may turn guesses into tokens can
#   reverse a copy without its key. The environment names the domain with a reason that stands, and the purposes that it is exchanged for;
#   the caller says one of them and why; so many at once are not too many; the key is in date; and who exchanges is nothing else but a reader.
# custom:
#   severity: critical
#   controls: [BAUTA-TOKEN-2, SOC2-CC6.1, SOC2-CC6.3, PCI-3.5.1, PCI-7.2, ISO27001-A.5.15]
#   codes:
#     EXCHANGE_FACT_MISSING: this is a fault of Bauta or of its caller; ask again with every fact
#     EXCHANGE_DOMAIN_NOT_ALLOWED: name the domain in the Environment (tokens) with a reason that stands
#     EXCHANGE_PURPOSE_NOT_NAMED: state one of the purposes that the domain names in the Environment, or have this one added
#     EXCHANGE_REASON_MISSING: write why, in a sentence
#     EXCHANGE_TOO_MANY: send at most 10,000 at once
#     EXCHANGE_KEY_EXPIRED: the version of the token key has expired; use a later one
#     EXCHANGE_ROLES_MIXED: let somebody exchange who is a detokeniser and at most a viewer
package tokens.exchange

import data.gate.exception
import data.gate.reason

meta := reason.package_of(rego.metadata.chain())

most := 10000

shortest_reason := 8

roles := {"detokeniser", "viewer"}

decision := {"allow": count(deny) == 0, "reasons": [one | some one in deny]}

required := {
	"version": {"number"},
	"today": {"number"},
	"nowMs": {"number"},
	"action": {"string"},
	"environment": {"string"},
	"domain": {"object", "null"},
	"purpose": {"string"},
	"reasonLength": {"number"},
	"count": {"number"},
	"key": {"object"},
	"roles": {"array"},
}

missing contains name if {
	some name, types in required
	not has(name, types)
}

missing contains "version 1" if object.get(input, "version", 0) != 1

missing contains "action" if not object.get(input, "action", "") in {"tokenise", "detokenise"}

has(name, types) if {
	name in object.keys(input)
	type_name(input[name]) in types
}

deny contains reason.of(meta, "EXCHANGE_FACT_MISSING", concat("", ["the fact ", name, " is missing or not of its type"])) if {
	some name in missing
}

deny contains reason.of(meta, "EXCHANGE_DOMAIN_NOT_ALLOWED", "the environment names no such domain, or its reason does not stand") if {
	not stands
}

stands if {
	is_object(input.domain)
	exception.stands(input.domain, input.today)
}

deny contains reason.of(meta, "EXCHANGE_PURPOSE_NOT_NAMED", "the domain is not exchanged for this purpose") if not named

named if input.purpose in {purpose | some purpose in input.domain.purposes}

deny contains reason.of(meta, "EXCHANGE_REASON_MISSING", "nobody said why") if not reasoned

reasoned if input.reasonLength >= shortest_reason

deny contains reason.of(meta, "EXCHANGE_TOO_MANY", "these are none, or too many at once") if not few

few if {
	input.count >= 1
	input.count <= most
}

deny contains reason.of(meta, "EXCHANGE_KEY_EXPIRED", "the version of the token key has expired") if not in_date

in_date if input.key.expiresAtMs == null

in_date if {
	is_number(input.key.expiresAtMs)
	input.nowMs < input.key.expiresAtMs
}

deny contains reason.of(meta, "EXCHANGE_ROLES_MIXED", "who asks is more than a detokeniser and a viewer") if not apart

apart if {
	count(input.roles) > 0
	every role in input.roles {
		split(role, "@")[0] in roles
	}
}
