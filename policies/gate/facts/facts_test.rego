package gate.facts_test

import data.gate.facts
import data.gate.fixture

test_a_whole_question_passes if {
	fixture.codes(facts.deny) == set() with input as fixture.valid
}

test_each_member_is_asked_for if {
	every name, _ in facts.required {
		fixture.codes(facts.deny) == {"GATE_FACT_MISSING"} with input as object.remove(fixture.valid, [name])
	}
}

test_each_inner_member_is_asked_for if {
	every group, specs in facts.members {
		every name, _ in specs {
			change := object.union(object.remove(fixture.valid, [group]), {group: object.remove(fixture.valid[group], [name])})
			fixture.codes(facts.deny) == {"GATE_FACT_MISSING"} with input as change
		}
	}
}

test_each_member_of_a_column_is_asked_for if {
	every name, _ in facts.of_column {
		change := fixture.changed({"columns": [object.remove(fixture.column, [name])]})
		fixture.codes(facts.deny) == {"GATE_FACT_MISSING"} with input as change
	}
}

test_each_member_of_a_known_source_is_asked_for if {
	every name, _ in facts.of_source {
		change := fixture.changed({"knownSources": [object.remove(fixture.known_source, [name])]})
		fixture.codes(facts.deny) == {"GATE_FACT_MISSING"} with input as change
	}
}

test_an_exception_is_whole if {
	every name, _ in facts.of_exception {
		half := object.remove(fixture.exception, [name])
		fixture.codes(facts.deny) == {"GATE_FACT_MISSING"} with input as fixture.changed({"target": {"sameServerException": half}})
		fixture.codes(facts.deny) == {"GATE_FACT_MISSING"} with input as fixture.changed({"source": {"writableException": half}})
	}
}

test_another_type_is_as_good_as_missing if {
	fixture.codes(facts.deny) == {"GATE_FACT_MISSING"} with input as fixture.changed({"today": "2026-11-21"})
	fixture.codes(facts.deny) == {"GATE_FACT_MISSING"} with input as fixture.columns([{"unique": "no"}])
	fixture.codes(facts.deny) == {"GATE_FACT_MISSING"} with input as fixture.changed({"schemaTexts": [{"action": "keep"}]})
}

test_no_columns_are_no_plan if {
	fixture.codes(facts.deny) == {"GATE_FACT_MISSING"} with input as fixture.changed({"columns": []})
}

test_another_form_is_refused if {
	fixture.codes(facts.deny) == {"GATE_FACT_MISSING"} with input as fixture.changed({"version": 2})
}

test_nothing_at_all_is_refused if {
	fixture.codes(facts.deny) == {"GATE_FACT_MISSING"} with input as {}
	fixture.codes(facts.deny) == {"GATE_FACT_MISSING"}
}
