package deploy.gate_test

import data.deploy.fixture
import data.deploy.gate

test_a_deployment_that_nothing_speaks_against_is_allowed if {
	decision := gate.decision with input as fixture.valid
	decision.allow
	decision.reasons == []
	decision.score.hundredths == 10000
	decision.missing == []
}

test_one_reason_is_enough_at_any_score if {
	decision := gate.decision with input as fixture.with_item({"fixableCriticals": 1})
	decision.allow == false
	decision.score.hundredths == 10000
}

test_what_is_missing_is_listed if {
	decision := gate.decision with input as fixture.changed({"evidence": []})
	decision.missing == ["scan"]
	fixture.codes(decision.reasons) == {"EVIDENCE_MISSING", "SCORE_BELOW_THRESHOLD"}
}

test_nothing_at_all_is_denied if {
	decision := gate.decision with input as {}
	decision.allow == false
}
