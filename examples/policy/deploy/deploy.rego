# METADATA
# scope: package
# title: Nobody deploys while shops are full
# description: >-
#   To environments in `data.quiet.environments` nothing goes on the weekdays in `data.quiet.weekdays`, and never by a gate whose threshold is below
#   `data.score.least`.
# custom:
#   severity: high
#   controls: [OWN-CHANGE-1]
#   codes:
#     QUIET_DAY: wait for another day
#     THRESHOLD_TOO_LOW: raise the threshold of the gate
package bauta.deploy

import rego.v1

deny contains reason if {
	weekday := time.weekday(input.nowMs * 1000000)
	weekday in data.quiet.weekdays
	some pattern in data.quiet.environments
	glob.match(pattern, ["-"], input.request.environment)
	reason := {
		"code": "QUIET_DAY",
		"controlIds": ["OWN-CHANGE-1"],
		"message": sprintf("nothing goes to %s on a %s", [input.request.environment, weekday]),
		"hint": "wait for another day, or have a person of the shop team change data.quiet",
	}
}

deny contains reason if {
	input.gate.threshold < data.score.least * 100
	reason := {
		"code": "THRESHOLD_TOO_LOW",
		"controlIds": ["OWN-CHANGE-1"],
		"message": sprintf("the gate %s asks for less than %d", [input.gate.name, data.score.least]),
		"hint": "raise the threshold of the gate, or have data.score.least changed",
	}
}
