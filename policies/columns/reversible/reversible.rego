# METADATA
# scope: package
# title: What can be exchanged back is allowed where it goes
# description: >-
#   A token can be exchanged for its original by who may. It goes to a target only if the target names its domain, with a reason that
#   stands, in the form that the domain has, and from a source that the domain names: who feeds guesses through a domain reverses a copy
#   without its key. Its key is of a hierarchy of its own, named by version and in date.
# custom:
#   severity: critical
#   controls: [BAUTA-TOKEN-1, SOC2-CC6.1, PCI-3.5.1, ISO27001-A.8.11]
#   codes:
#     REVERSIBLE_NOT_ALLOWED: use a transform that nobody can reverse, or name the domain in the target (tokens) with a reason
#     TOKEN_FORM_DIFFERS: give the rule the form, prefix, suffix, separators and test prefix that the target gives its domain
#     TOKEN_DOMAIN_VAULTED: let a worker of the service run the pipeline, which keeps them; a command line has no place where it could look them up
#     TOKEN_SOURCE_NOT_NAMED: add this source (system identifier/database) to the domain in the target (tokens), which takes an approval
#     TOKEN_KEY_MISSING: plan again, so that the plan names the version of the token key
#     TOKEN_KEY_DIFFERS: plan again with the version of the token key that is to be used
#     TOKEN_KEY_EXPIRED: rotate the token key and plan again
package columns.reversible

import data.gate.exception
import data.gate.reason

meta := reason.package_of(rego.metadata.chain())

reversible contains column if {
	some column in input.columns
	column.reversible != false
}

# The domain as the target names it, if its reason stands.
named(column) := domain if {
	some domain in input.target.tokens
	domain.domain == column.domain
	exception.stands(domain, input.today)
}

deny contains reason.of(meta, "REVERSIBLE_NOT_ALLOWED", message) if {
	some column in reversible
	not named(column)
	message := concat("", [reason.place(column), " can be exchanged back, and the target does not allow the domain ", column.domain])
}

deny contains reason.of(meta, "TOKEN_FORM_DIFFERS", message) if {
	some column in reversible
	named(column).paramsDigest != column.paramsDigest
	message := concat("", [reason.place(column), " has another form than the domain ", column.domain])
}

deny contains reason.of(meta, "TOKEN_DOMAIN_VAULTED", message) if {
	some column in reversible
	named(column).reachable != true
	message := concat("", ["the tokens of the domain ", column.domain, " are kept at the service, and ", reason.place(column), " is masked away from it"])
}

deny contains reason.of(meta, "TOKEN_SOURCE_NOT_NAMED", message) if {
	some column in reversible
	domain := named(column)
	source := concat("/", [input.source.systemIdentifier, input.source.database])
	not source in {name | some name in domain.sources}
	message := concat("", ["the domain ", column.domain, " does not name the source ", source])
}

deny contains reason.of(meta, "TOKEN_KEY_MISSING", "the plan names no version of the token key") if {
	count(reversible) > 0
	not is_number(input.tokenKeyVersion)
}

deny contains reason.of(meta, "TOKEN_KEY_DIFFERS", "the token key at hand is not of the version that the plan names") if {
	count(reversible) > 0
	is_number(input.tokenKeyVersion)
	object.get(input, ["tokenKey", "version"], null) != input.tokenKeyVersion
}

deny contains reason.of(meta, "TOKEN_KEY_EXPIRED", "the version of the token key that the plan names has expired") if {
	count(reversible) > 0
	not in_date
}

in_date if input.tokenKey.expiresAtMs == null

in_date if {
	is_number(input.tokenKey.expiresAtMs)
	input.nowMs < input.tokenKey.expiresAtMs
}
