package target.environment_test

import data.gate.fixture
import data.target.environment

codes_of(change) := codes if {
	codes := fixture.codes(environment.deny) with input as fixture.changed(change)
}

test_a_test_environment_passes if codes_of({}) == set()

test_production_is_refused if codes_of({"target": {"class": "production"}}) == {"TARGET_IS_PRODUCTION"}

test_an_environment_called_production_is_refused if {
	codes_of({"environment": "Prod", "target": {"environment": "Prod"}}) == {"TARGET_IS_PRODUCTION"}
}

test_an_unknown_class_is_refused if codes_of({"target": {"class": "other"}}) == {"TARGET_CLASS_UNKNOWN"}

test_a_plan_for_another_environment_is_refused if codes_of({"environment": "test-2"}) == {"ENVIRONMENT_MISSING"}

test_a_nameless_environment_is_refused if codes_of({"environment": " ", "target": {"environment": " "}}) == {"ENVIRONMENT_MISSING"}

test_nothing_at_all_is_refused if {
	fixture.codes(environment.deny) == {"TARGET_CLASS_UNKNOWN", "ENVIRONMENT_MISSING"} with input as {}
}
