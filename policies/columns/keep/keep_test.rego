package columns.keep_test

import data.columns.keep
import data.gate.fixture

codes_of(change) := codes if {
	codes := fixture.codes(keep.deny) with input as fixture.columns([object.union({"transform": "keep"}, change)])
}

test_a_masked_column_needs_nothing if codes_of({"transform": "email"}) == set()

test_a_reason_and_a_day_to_come_pass if codes_of({"reasonLength": 20, "expiresDay": fixture.today}) == set()

test_both_are_asked_for if codes_of({}) == {"KEEP_WITHOUT_REASON", "KEEP_WITHOUT_EXPIRY"}

test_a_blank_reason_is_none if codes_of({"reasonLength": 2, "expiresDay": fixture.today}) == {"KEEP_WITHOUT_REASON"}

test_a_day_that_is_over_is_refused if codes_of({"reasonLength": 20, "expiresDay": fixture.today - 1}) == {"KEEP_EXPIRED"}

test_an_untagged_column_needs_no_date if codes_of({"tag": "none"}) == set()

test_an_untagged_columns_date_counts if codes_of({"tag": "none", "reasonLength": 20, "expiresDay": 1}) == {"KEEP_EXPIRED"}

test_a_path_is_judged_like_a_column if codes_of({"path": "a.b", "expiresDay": fixture.today}) == {"KEEP_WITHOUT_REASON"}
