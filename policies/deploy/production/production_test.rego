package deploy.production_test

import data.deploy.fixture
import data.deploy.production

asked(change) := codes if codes := fixture.codes(production.deny) with input as fixture.changed({"production": change})

test_nobody_looked if asked(null) == set()

test_a_database_without_a_marker_passes if asked({"marked": false}) == set()

test_a_marker_is_refused if asked({"marked": true}) == {"MASKED_DATA_IN_PRODUCTION"}

test_what_is_not_said_is_refused if {
	codes := fixture.codes(production.deny) with input as fixture.changed({"production": {"marked": "perhaps"}})
	codes == {"MASKED_DATA_IN_PRODUCTION"}
}
