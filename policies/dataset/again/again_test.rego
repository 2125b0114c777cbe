package dataset.again_test

import data.dataset.again
import data.gate.fixture

used := {"startedAtMs": 1000, "erasureAtMs": null, "revoked": false}

codes_of(change) := codes if {
	codes := fixture.codes(again.deny) with input as fixture.changed({"again": object.union(used, change)})
}

test_a_new_version_passes if fixture.codes(again.deny) == set() with input as fixture.valid

test_a_version_that_nothing_is_said_of_passes if codes_of({}) == set()

test_a_revoked_one_is_refused if codes_of({"revoked": true}) == {"DATASET_REVOKED"}

test_one_that_began_after_the_request_passes if codes_of({"erasureAtMs": 999}) == set()

test_one_that_began_before_it_is_refused if {
	codes_of({"erasureAtMs": 1001}) == {"ERASURE_PENDING"}
	codes_of({"erasureAtMs": 1000}) == {"ERASURE_PENDING"}
}

test_nobody_knows_when_it_began_is_refused if codes_of({"erasureAtMs": 1, "startedAtMs": null}) == {"ERASURE_PENDING"}

test_a_missing_fact_is_refused if {
	fixture.codes(again.deny) == {"DATASET_REVOKED", "ERASURE_PENDING"} with input as fixture.changed({"again": {}})
}
