# METADATA
# scope: package
# title: A copy does not grow without anybody noticing
# description: A plan of more columns than `data.plan.columns` is looked at by a person first, who raises the number.
# custom:
#   severity: medium
#   controls: [OWN-DATA-1]
#   codes:
#     PLAN_TOO_WIDE: leave tables out, or have the number raised
package bauta.provision

import rego.v1

deny contains reason if {
	count(input.columns) > data.plan.columns
	reason := {
		"code": "PLAN_TOO_WIDE",
		"controlIds": ["OWN-DATA-1"],
		"message": sprintf("the plan has %d columns, %d are agreed on", [count(input.columns), data.plan.columns]),
		"hint": "leave tables out, or have data.plan.columns raised by who owns the data",
	}
}
