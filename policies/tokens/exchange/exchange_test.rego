package tokens.exchange_test

import data.tokens.exchange

valid := {
	"version": 1,
	"today": 20778,
	"nowMs": 1795219200000,
	"action": "detokenise",
	"environment": "test-1",
	"domain": {"reasonLength": 40, "expiresDay": null, "purposes": ["refunds"]},
	"purpose": "refunds",
	"reasonLength": 20,
	"count": 1,
	"key": {"version": 1, "expiresAtMs": null},
	"roles": ["detokeniser@test-1", "viewer"],
}

codes_of(change) := codes if {
	codes := {reason.code | some reason in exchange.decision.reasons} with input as object.union(valid, change)
}

test_an_honest_question_is_allowed if exchange.decision == {"allow": true, "reasons": []} with input as valid

test_no_question_is_denied if {
	exchange.decision.allow == false
	exchange.decision.allow == false with input as {}
}

test_the_domain_is_named_and_its_reason_stands if {
	codes_of({"domain": null}) == {"EXCHANGE_DOMAIN_NOT_ALLOWED", "EXCHANGE_PURPOSE_NOT_NAMED"}
	codes_of({"domain": {"expiresDay": 20777}}) == {"EXCHANGE_DOMAIN_NOT_ALLOWED"}
	codes_of({"domain": {"reasonLength": 0}}) == {"EXCHANGE_DOMAIN_NOT_ALLOWED"}
}

test_the_purpose_is_one_of_the_domain if {
	codes_of({"purpose": "curiosity"}) == {"EXCHANGE_PURPOSE_NOT_NAMED"}
	codes_of({"domain": {"purposes": []}}) == {"EXCHANGE_PURPOSE_NOT_NAMED"}
}

test_the_reason_is_a_sentence if codes_of({"reasonLength": 7}) == {"EXCHANGE_REASON_MISSING"}

test_no_more_than_so_many if {
	codes_of({"count": 10000}) == set()
	codes_of({"count": 10001}) == {"EXCHANGE_TOO_MANY"}
	codes_of({"count": 0}) == {"EXCHANGE_TOO_MANY"}
}

test_the_key_is_in_date if codes_of({"key": {"expiresAtMs": 1795219200000}}) == {"EXCHANGE_KEY_EXPIRED"}

test_who_exchanges_is_nothing_else if {
	codes_of({"roles": ["detokeniser", "operator"]}) == {"EXCHANGE_ROLES_MIXED"}
	codes_of({"roles": []}) == {"EXCHANGE_ROLES_MIXED"}
}

test_another_action_is_none if codes_of({"action": "guess"}) == {"EXCHANGE_FACT_MISSING"}
