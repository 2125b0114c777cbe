package deploy.vulnerabilities_test

import data.deploy.fixture
import data.deploy.vulnerabilities

asked(change) := codes if codes := fixture.codes(vulnerabilities.deny) with input as fixture.changed(change)

critical := object.union(fixture.item, {"fixableCriticals": 1})

test_none_passes if asked({}) == set()

test_one_is_refused if asked({"evidence": [critical]}) == {"CRITICAL_WITH_FIX"}

test_a_gate_may_say_how_many if asked({"evidence": [critical], "parameters": {"fixableCriticals": 1}}) == set()

test_it_names_the_evidence if {
	[reason.evidenceId | some reason in vulnerabilities.deny] == [fixture.item.id] with input as fixture.changed({"evidence": [critical]})
}
