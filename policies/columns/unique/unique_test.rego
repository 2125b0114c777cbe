package columns.unique_test

import data.columns.unique
import data.gate.fixture

codes_of(changes) := codes if {
	codes := fixture.codes(unique.deny) with input as fixture.columns(changes)
}

test_preserved_passes if codes_of([{}]) == set()

test_not_guaranteed_is_refused if codes_of([{"uniqueness": "not-guaranteed"}]) == {"UNIQUE_NOT_PRESERVED"}

test_lossy_is_refused if codes_of([{"uniqueness": "lossy"}]) == {"UNIQUE_NOT_PRESERVED"}

test_what_is_not_unique_may_be_lossy if codes_of([{"unique": false, "uniqueness": "lossy"}]) == set()

test_an_unknown_declaration_is_refused if codes_of([{"uniqueness": ""}]) == {"UNIQUE_NOT_PRESERVED"}
