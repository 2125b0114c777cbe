package target.allows_test

import data.gate.fixture
import data.target.allows

codes_of(tag, list) := codes if {
	codes := fixture.codes(allows.deny) with input as object.union(fixture.columns([{"tag": tag}]), {"target": {"allows": list}})
}

test_the_category_passes if codes_of("pii.email", ["pii"]) == set()

test_the_tag_itself_passes if codes_of("pii.email", ["pii.email"]) == set()

test_another_tag_is_refused if codes_of("pii.email", ["pii.name"]) == {"TAG_NOT_ALLOWED"}

test_a_higher_category_is_refused if codes_of("phi.mrn", ["pii", "pci"]) == {"TAG_NOT_ALLOWED"}

test_special_and_sensitive_data_are_categories_of_their_own if {
	codes_of("special.belief", ["pii", "phi", "sensitive"]) == {"TAG_NOT_ALLOWED"}
	codes_of("sensitive.income", ["pii", "phi", "special"]) == {"TAG_NOT_ALLOWED"}
	codes_of("special.belief", ["special"]) == set()
	codes_of("sensitive.income", ["sensitive"]) == set()
}

test_an_empty_list_is_refused if codes_of("pii.email", []) == {"TAG_NOT_ALLOWED"}

test_the_beginning_of_a_word_is_not_the_category if codes_of("pii.email", ["pi"]) == {"TAG_NOT_ALLOWED"}

test_quasi_is_covered_by_categories_about_persons if {
	codes_of("quasi.birth-date", ["pii"]) == set()
	codes_of("quasi.birth-date", ["secret"]) == {"TAG_NOT_ALLOWED"}
}

test_untagged_columns_need_no_entry if codes_of("none", []) == set()

test_no_list_is_refused if {
	fixture.codes(allows.deny) == {"TAG_NOT_ALLOWED"} with input as object.remove(fixture.valid, ["target"])
}
