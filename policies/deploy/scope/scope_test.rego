package deploy.scope_test

import data.deploy.fixture
import data.deploy.scope

asked(change) := codes if codes := fixture.codes(scope.deny) with input as fixture.changed(change)

test_what_the_gate_names_passes if asked({}) == set()

test_a_name_is_not_the_beginning_of_names if asked({"gate": {"environments": ["prod"]}}) == {"GATE_OUT_OF_SCOPE"}

test_another_environment_is_refused if asked({"request": {"environment": "staging"}}) == {"GATE_OUT_OF_SCOPE"}

test_another_service_is_refused if asked({"gate": {"services": ["shop", "api-*"]}}) == {"GATE_OUT_OF_SCOPE"}

test_a_gate_of_nothing_lets_nothing_through if asked({"gate": {"environments": []}}) == {"GATE_OUT_OF_SCOPE"}
