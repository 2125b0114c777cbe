package target.apart_test

import data.gate.fixture
import data.target.apart

codes_of(change) := codes if {
	codes := fixture.codes(apart.deny) with input as fixture.changed({"target": change})
}

test_another_server_passes if codes_of({}) == set()

same := fixture.known_source.systemIdentifier

test_the_same_server_is_refused if codes_of({"systemIdentifier": same, "database": "copy"}) == {"SAME_SERVER"}

test_the_same_address_is_refused if codes_of({"address": "DB.shop.example:5432", "database": "copy"}) == {"SAME_SERVER"}

test_a_reason_excuses_the_server if {
	codes_of({"systemIdentifier": same, "database": "copy", "sameServerException": fixture.exception}) == set()
}

test_a_reason_that_is_over_does_not if {
	codes_of({
		"systemIdentifier": same,
		"database": "copy",
		"sameServerException": {"reasonLength": 40, "expiresDay": fixture.today - 1},
	}) == {"SAME_SERVER"}
}

test_no_reason_excuses_the_database if {
	codes_of({"systemIdentifier": same, "sameServerException": fixture.exception}) == {"TARGET_IS_SOURCE"}
}

test_every_known_source_counts if {
	codes := fixture.codes(apart.deny) with input as fixture.changed({"knownSources": [
		fixture.known_source,
		{"systemIdentifier": "7300000000000000002", "address": "x", "database": "other"},
	]})
	codes == {"SAME_SERVER"}
}

test_an_unknown_source_is_refused if {
	fixture.codes(apart.deny) == {"SOURCE_NOT_KNOWN"} with input as fixture.changed({"knownSources": []})
}

test_a_server_that_does_not_say_who_it_is_is_refused if {
	codes_of({"systemIdentifier": ""}) == {"SAME_SERVER"}
	codes_of({"address": ""}) == {"SAME_SERVER"}
}
