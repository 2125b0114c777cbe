package deploy.facts_test

import data.deploy.facts
import data.deploy.fixture

test_a_whole_question_passes if fixture.codes(facts.deny) == set() with input as fixture.valid

test_each_member_is_asked_for if {
	every name, _ in facts.required {
		fixture.codes(facts.deny) == {"DEPLOY_FACT_MISSING"} with input as object.remove(fixture.valid, [name])
	}
}

test_each_inner_member_is_asked_for if {
	every group, specs in facts.members {
		every name, _ in specs {
			change := object.union(object.remove(fixture.valid, [group]), {group: object.remove(fixture.valid[group], [name])})
			fixture.codes(facts.deny) == {"DEPLOY_FACT_MISSING"} with input as change
		}
	}
}

test_each_member_of_evidence_is_asked_for if {
	every name, _ in facts.of_item {
		change := fixture.changed({"evidence": [object.remove(fixture.item, [name])]})
		fixture.codes(facts.deny) == {"DEPLOY_FACT_MISSING"} with input as change
	}
}

test_each_member_of_a_requirement_is_asked_for if {
	every name, _ in facts.of_requirement {
		change := fixture.changed({"requirements": [object.remove(fixture.requirement, [name])]})
		fixture.codes(facts.deny) == {"DEPLOY_FACT_MISSING"} with input as change
	}
}

test_each_member_of_the_dataset_is_asked_for if {
	every name, _ in facts.of_version {
		dataset := object.union(object.remove(fixture.dataset, ["version"]), {"version": object.remove(fixture.version, [name])})
		change := object.union(object.remove(fixture.valid, ["dataset"]), {"dataset": dataset})
		fixture.codes(facts.deny) == {"DEPLOY_FACT_MISSING"} with input as change
	}
	every name, _ in facts.of_statement {
		dataset := object.union(object.remove(fixture.dataset, ["statement"]), {"statement": object.remove(fixture.statement, [name])})
		change := object.union(object.remove(fixture.valid, ["dataset"]), {"dataset": dataset})
		fixture.codes(facts.deny) == {"DEPLOY_FACT_MISSING"} with input as change
	}
}

test_a_part_of_a_finding_is_no_count if {
	counts := {"counts": {"critical": 0.5}}
	fixture.codes(facts.deny) == {"DEPLOY_FACT_MISSING"} with input as fixture.with_item(counts)
	fixture.codes(facts.deny) == {"DEPLOY_FACT_MISSING"} with input as fixture.with_item({"failed": -1})
}

test_a_part_of_a_point_is_no_point if {
	change := {"requirements": [object.union(fixture.requirement, {"points": -5})]}
	fixture.codes(facts.deny) == {"DEPLOY_FACT_MISSING"} with input as fixture.changed(change)
}

test_nothing_at_all_is_refused if fixture.codes(facts.deny) == {"DEPLOY_FACT_MISSING"} with input as {}
