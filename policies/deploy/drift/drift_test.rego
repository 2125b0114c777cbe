package deploy.drift_test

import data.deploy.drift
import data.deploy.fixture

asked(change) := codes if codes := fixture.codes(drift.deny) with input as fixture.with_version(change)

test_what_is_as_it_was_passes if asked({}) == set()

test_each_thing_that_changed_is_said if asked({"drift": ["Pipeline shop"]}) == {"DATASET_DRIFTED"}

test_rows_count_too if asked({"rowsDrifted": 1}) == {"DATASET_DRIFTED"}

test_half_a_look_is_none if {
	asked({"lookError": "SOURCE_UNREACHABLE"}) == {"DRIFT_UNKNOWN"}
	asked({"rowsError": "TARGET_UNREACHABLE"}) == {"DRIFT_UNKNOWN"}
}

test_a_look_grows_old if {
	old := fixture.now - 604800001
	asked({"publishedAtMs": old}) == set()
	asked({"publishedAtMs": old, "lookedAtMs": old}) == {"DRIFT_UNKNOWN"}
	asked({"publishedAtMs": old, "lookedAtMs": null}) == {"DRIFT_UNKNOWN"}
	asked({"lookedAtMs": null}) == set()
}
