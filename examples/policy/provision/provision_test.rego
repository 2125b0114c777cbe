package bauta.provision_test

import rego.v1

import data.bauta.provision

codes(columns) := found if {
	found := {reason.code | some reason in provision.deny} with input as {"columns": columns} with data.plan.columns as 2
}

test_as_many_as_agreed if codes([{}, {}]) == set()

test_one_more if codes([{}, {}, {}]) == {"PLAN_TOO_WIDE"}
