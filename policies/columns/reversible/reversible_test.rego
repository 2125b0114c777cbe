package columns.reversible_test

import data.columns.reversible
import data.gate.fixture

token := {"transform": "token", "reversible": true, "domain": "cards", "paramsDigest": "sha256:0c"}

domain := {
	"domain": "cards",
	"paramsDigest": "sha256:0c",
	"vaulted": false,
	"reachable": true,
	"sources": ["7300000000000000001/shop"],
	"reasonLength": 40,
	"expiresDay": null,
}

question(column, target, change) := object.union(object.union(fixture.columns([object.union(token, column)]), change), {"target": object.union(
	fixture.valid.target,
	{"tokens": target},
)})

codes_of(column, target, change) := codes if {
	codes := fixture.codes(reversible.deny) with input as question(column, target, change)
}

key := {"tokenKeyVersion": 1, "tokenKey": {"version": 1, "expiresAtMs": null}}

test_a_named_domain_passes if codes_of({}, [domain], key) == set()

test_what_nobody_can_reverse_passes_without if codes_of({"reversible": false}, [], {}) == set()

test_a_domain_that_is_not_named_is_refused if {
	codes_of({}, [], key) == {"REVERSIBLE_NOT_ALLOWED"}
	codes_of({"domain": "accounts"}, [domain], key) == {"REVERSIBLE_NOT_ALLOWED"}
}

test_a_reason_that_is_none_or_over_is_refused if {
	codes_of({}, [object.union(domain, {"reasonLength": 0})], key) == {"REVERSIBLE_NOT_ALLOWED"}
	codes_of({}, [object.union(domain, {"expiresDay": fixture.today - 1})], key) == {"REVERSIBLE_NOT_ALLOWED"}
}

test_a_vaulted_domain_passes_where_it_is_kept if codes_of({}, [object.union(domain, {"vaulted": true})], key) == set()

test_a_vaulted_domain_is_refused_elsewhere if {
	codes_of({}, [object.union(domain, {"vaulted": true, "reachable": false})], key) == {"TOKEN_DOMAIN_VAULTED"}
}

test_another_form_is_refused if codes_of({"paramsDigest": "sha256:0d"}, [domain], key) == {"TOKEN_FORM_DIFFERS"}

test_another_source_is_refused if {
	codes_of({}, [object.union(domain, {"sources": ["7300000000000000001/guesses"]})], key) == {"TOKEN_SOURCE_NOT_NAMED"}
	codes_of({}, [object.union(domain, {"sources": []})], key) == {"TOKEN_SOURCE_NOT_NAMED"}
}

test_the_key_is_named_known_and_in_date if {
	codes_of({}, [domain], {}) == {"TOKEN_KEY_MISSING"}
	codes_of({}, [domain], object.union(key, {"tokenKey": {"version": 2}})) == {"TOKEN_KEY_DIFFERS"}
	codes_of({}, [domain], object.union(key, {"tokenKey": {"expiresAtMs": fixture.valid.nowMs}})) == {"TOKEN_KEY_EXPIRED"}
}
