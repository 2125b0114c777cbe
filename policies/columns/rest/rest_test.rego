package columns.rest_test

import data.columns.rest
import data.gate.fixture

base := {"tag": "mixed", "transform": "paths", "rest": "keep"}

codes_of(change) := codes if {
	codes := fixture.codes(rest.deny) with input as fixture.columns([object.union(base, change)])
}

test_a_reason_and_a_day_to_come_pass if codes_of({"reasonLength": 20, "expiresDay": fixture.today}) == set()

test_both_are_asked_for if codes_of({}) == {"REST_WITHOUT_REASON", "REST_WITHOUT_EXPIRY"}

test_a_day_that_is_over_is_refused if codes_of({"reasonLength": 20, "expiresDay": fixture.today - 1}) == {"REST_EXPIRED"}

test_drop_and_refuse_need_nothing if {
	codes_of({"rest": "drop"}) == set()
	codes_of({"rest": "refuse"}) == set()
	codes_of({"rest": null}) == set()
}

test_another_word_is_refused if codes_of({"rest": "ignore"}) == {"REST_UNKNOWN"}
