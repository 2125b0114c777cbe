package deploy.privacy_test

import data.deploy.fixture
import data.deploy.privacy

measured := {"worst": {"linked": 0.01, "guessed": null, "unique": 0.2, "k": 4, "below": 0.1, "l": 2, "t": 0.3, "followed": 1}, "unmeasured": ["guessed"]}

asked(limits, facts) := codes if codes := fixture.codes(privacy.deny) with input as fixture.changed({"dataset": {"privacy": limits, "version": {"privacy": facts}}})

test_a_gate_that_asks_for_nothing_lets_everything_through if {
	asked(null, null) == set()
	asked({}, measured) == set()
	codes := fixture.codes(privacy.deny) with input as fixture.changed({})
	codes == set()
}

test_at_the_limit_is_within if {
	asked({"maxLinked": 0.01, "minK": 4, "maxT": 0.3}, measured) == set()
	asked({"maxLinked": 0.0099}, measured) == {"DATASET_PRIVACY_BEYOND"}
	asked({"minK": 5}, measured) == {"DATASET_PRIVACY_BEYOND"}
	asked({"minL": 3}, measured) == {"DATASET_PRIVACY_BEYOND"}
	asked({"maxFollowed": 0.5}, measured) == {"DATASET_PRIVACY_BEYOND"}
}

test_what_was_not_measured_is_not_within if {
	asked({"maxGuessed": 1}, measured) == {"DATASET_PRIVACY_UNKNOWN"}
	asked({"maxLinked": 1}, null) == {"DATASET_PRIVACY_UNKNOWN"}
	asked({"maxLinked": 1}, {"worst": {"guessed": 0}, "unmeasured": []}) == {"DATASET_PRIVACY_UNKNOWN"}
}

test_what_there_is_nothing_of_is_within if asked({"maxLinked": 0}, {"worst": {"linked": null}, "unmeasured": []}) == set()
