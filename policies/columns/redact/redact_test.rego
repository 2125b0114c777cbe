package columns.redact_test

import data.columns.redact
import data.gate.fixture

base := {"tag": "pii.free-text", "transform": "redact"}

codes_of(change) := codes if {
	codes := fixture.codes(redact.deny) with input as fixture.columns([object.union(base, change)])
}

test_a_reason_and_a_day_to_come_pass if codes_of({"reasonLength": 20, "expiresDay": fixture.today}) == set()

test_both_are_asked_for if codes_of({}) == {"REDACT_WITHOUT_REASON", "REDACT_WITHOUT_EXPIRY"}

test_a_day_that_is_over_is_refused if codes_of({"reasonLength": 20, "expiresDay": fixture.today - 1}) == {"REDACT_EXPIRED"}

test_another_transform_needs_nothing if codes_of({"transform": "replace"}) == set()

test_the_measured_recall_is_told if {
	some denial in redact.deny with input as fixture.columns([object.union(base, {"recallPercent": 71})])
	contains(denial.message, "best effort, recall 71 %")
}
