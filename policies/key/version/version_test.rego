package key.version_test

import data.gate.fixture
import data.key.version

codes_of(change) := codes if {
	codes := fixture.codes(version.deny) with input as fixture.changed(change)
}

test_a_key_without_end_passes if codes_of({}) == set()

test_a_key_in_date_passes if codes_of({"key": {"expiresAtMs": fixture.valid.nowMs + 1}}) == set()

test_the_instant_of_expiry_is_too_late if codes_of({"key": {"expiresAtMs": fixture.valid.nowMs}}) == {"KEY_EXPIRED"}

test_no_version_is_refused if {
	codes_of({"keyVersion": null}) == {"KEY_VERSION_MISSING"}
	codes_of({"keyVersion": 0}) == {"KEY_VERSION_MISSING"}
	codes_of({"keyVersion": 1.5}) == {"KEY_VERSION_MISSING"}
}

test_another_version_is_refused if codes_of({"key": {"version": 2}}) == {"KEY_VERSION_DIFFERS"}

test_no_answer_about_expiry_is_refused if {
	fixture.codes(version.deny) == {"KEY_EXPIRED"} with input as object.union(
		object.remove(fixture.valid, ["key"]),
		{"key": {"version": 1}},
	)
}
