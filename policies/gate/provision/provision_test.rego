package gate.provision_test

import data.gate.fixture
import data.gate.provision

test_a_question_that_nothing_speaks_against_is_allowed if {
	provision.decision == {"allow": true, "reasons": []} with input as fixture.valid
}

test_one_reason_is_enough if {
	decision := provision.decision with input as fixture.changed({"target": {"class": "production"}})
	decision.allow == false
	[reason.code | some reason in decision.reasons] == ["TARGET_IS_PRODUCTION"]
}

test_all_reasons_are_given if {
	change := object.union(fixture.columns([{"transform": "number-noise", "uniqueness": "lossy"}]), {"keyVersion": null})
	decision := provision.decision with input as change
	sort([reason.code | some reason in decision.reasons]) == ["KEY_VERSION_MISSING", "TRANSFORM_UNFIT", "UNIQUE_NOT_PRESERVED"]
}

test_no_question_is_denied if {
	provision.decision.allow == false
	provision.decision.allow == false with input as {}
}

test_every_reason_names_controls_and_a_hint if {
	reasons := provision.decision.reasons with input as {}
	every reason in reasons {
		count(reason.controlIds) > 0
		reason.hint != ""
		reason.message != ""
	}
}
