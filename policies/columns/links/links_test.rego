package columns.links_test

import data.columns.links
import data.gate.fixture

base := {"column": "id", "tag": "none", "transform": "keep", "type": "integer"}

codes_of(change) := codes if {
	codes := fixture.codes(links.deny) with input as fixture.columns([object.union(base, change)])
}

test_a_kept_id_links if codes_of({}) == {"LINKS_TO_SOURCE"}

test_missing_statistics_count_as_nearly_unique if {
	codes_of({"distinctRatio": null, "unique": false, "type": "timestamp"}) == {"LINKS_TO_SOURCE"}
}

test_more_than_half_is_nearly_unique if {
	codes_of({"distinctRatio": 0.51, "unique": false}) == {"LINKS_TO_SOURCE"}
	codes_of({"distinctRatio": 0.5, "unique": false}) == set()
}

test_one_of_several_columns_of_a_key_is_judged_by_its_ratio if codes_of({"unique": true, "distinctRatio": 0.1}) == set()

test_a_reason_excuses if codes_of({"reasonLength": 30}) == set()

test_a_reason_that_is_over_does_not if codes_of({"reasonLength": 30, "expiresDay": 1}) == {"LINKS_TO_SOURCE"}

test_a_permuted_id_does_not_link if codes_of({"transform": "integer-key"}) == set()

test_a_table_without_persons_does_not_count if codes_of({"speaksOfPerson": false}) == set()

test_booleans_and_enums_do_not_count if {
	codes_of({"type": "bool", "unique": false, "distinctRatio": null}) == set()
	codes_of({"type": "enum", "unique": false, "distinctRatio": null}) == set()
}
