package target.region_test

import data.gate.fixture
import data.target.region

codes_of(source, target, length) := codes if {
	codes := fixture.codes(region.deny) with input as fixture.changed({
		"source": {"region": source},
		"target": {"region": target, "safeguardLength": length},
	})
}

test_a_listed_region_passes if codes_of("eu-central-1", "ch", 0) == set()

test_the_same_region_passes if codes_of("us-east-1", "us-west-2", 0) == set()

test_an_unlisted_region_is_refused if codes_of("eu", "us-east-1", 0) == {"REGION_NOT_LISTED"}

test_a_safeguard_excuses if codes_of("eu", "us-east-1", 30) == set()

test_no_region_is_refused if {
	codes_of("eu", null, 0) == {"REGION_NOT_LISTED"}
	codes_of(null, null, 0) == {"REGION_NOT_LISTED"}
	codes_of("", "", 0) == {"REGION_NOT_LISTED"}
}

test_health_data_has_a_list_of_its_own if {
	fixture.codes(region.deny) == {"REGION_NOT_LISTED"} with input as object.union(
		fixture.columns([{"tag": "phi.mrn"}]),
		{"target": {"region": "jp"}},
	)
}

test_special_categories_go_where_health_data_goes if {
	codes_at("special.belief", "jp") == {"REGION_NOT_LISTED"}
	codes_at("special.belief", "ch") == set()
	codes_at("sensitive.income", "jp") == set()
}

codes_at(tag, place) := codes if {
	codes := fixture.codes(region.deny) with input as object.union(fixture.columns([{"tag": tag}]), {"target": {"region": place}})
}

test_a_plan_without_tags_goes_anywhere if {
	fixture.codes(region.deny) == set() with input as object.union(fixture.columns([{"tag": "none"}]), {"target": {"region": null}})
}
