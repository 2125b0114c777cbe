package columns.keys_test

import data.columns.keys
import data.gate.fixture

codes_of(changes) := codes if {
	codes := fixture.codes(keys.deny) with input as fixture.columns(changes)
}

other := {"table": "public.order", "column": "customer_email", "unique": false, "component": 0}

test_ends_that_agree_pass if codes_of([{"component": 0}, other]) == set()

test_each_difference_is_found if {
	every member in ["tag", "transform", "paramsDigest", "domain", "scope"] {
		codes_of([{"component": 0}, object.union(other, {member: "another"})]) == {"KEY_ENDS_DIFFER"}
	}
}

test_columns_of_two_components_may_differ if codes_of([{"component": 1}, object.union(other, {"transform": "text-key"})]) == set()

test_columns_of_no_component_may_differ if codes_of([{}, {"transform": "text-key"}]) == set()

test_every_end_is_compared if {
	reasons := keys.deny with input as fixture.columns([
		{"component": 0},
		object.union(other, {"domain": "b"}),
		object.union(other, {"table": "public.visit", "domain": "c"}),
	])
	count(reasons) == 2
}
