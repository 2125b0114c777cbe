# METADATA
# scope: package
# title: The score reaches the threshold of the gate
# description: >-
#   Each thing that a gate asks for has points. Of its points a thing earns a part in percent: 100, less the penalty of each finding (by severity, and
#   of each failed test) that the gate's parameters say, never below 0; and 0 where it is missing, stale or refused. The score is what was earned
#   of what could be, as a part of 100. It is compared as whole numbers: exactly at the threshold is enough, and nothing is rounded up.
# custom:
#   severity: high
#   controls: [BAUTA-DEPLOY-11, SOC2-CC8.1]
#   codes:
#     SCORE_BELOW_THRESHOLD: see the items that earned less than their points; each says what took them
package deploy.score

import data.deploy.dataset
import data.deploy.drift
import data.deploy.evidence
import data.deploy.live
import data.deploy.reason

meta := reason.package_of(rego.metadata.chain())

# Hundredths of points.
items := array.concat(array.concat(of_dataset, of_checks), of_requirements)

of_dataset := [{"code": "dataset", "points": input.dataset.points, "earned": input.dataset.points * percent, "evidenceId": null} |
	is_object(input.dataset)
	percent := dataset_percent
]

dataset_percent := 100 if {
	count(dataset.deny) == 0
	count(drift.deny) == 0
	count(live.deny) == 0
} else := 0

of_checks := [{"code": "checks", "points": points, "earned": points * checks_percent, "evidenceId": null} |
	is_object(input.dataset)
	points := input.dataset.checkPoints
	points > 0
]

default checks_percent := 0

# No check that was made is no check that passed.
checks_percent := less(100, (checks.fail + checks.notRun) * input.parameters.penalties.failed) if {
	dataset_percent == 100
	checks := input.dataset.version.checks
	checks.pass > 0
}

of_requirements := [{"code": requirement.name, "points": requirement.points, "earned": requirement.points * earned(requirement), "evidenceId": id} |
	some requirement in input.requirements
	id := found(requirement)
]

found(requirement) := evidence.counting(requirement).id

found(requirement) := null if not evidence.counting(requirement)

earned(requirement) := less(100, penalty(evidence.counting(requirement)))

earned(requirement) := 0 if not evidence.counting(requirement)

penalty(item) := (item.failed * input.parameters.penalties.failed) + sum(by_severity(item))

by_severity(item) := [one |
	some severity, each in input.parameters.penalties
	severity != "failed"
	one := item.counts[severity] * each
]

less(all, taken) := all - taken if taken < all

less(all, taken) := 0 if taken >= all

earned_all := sum([item.earned | some item in items])

possible := 100 * sum([item.points | some item in items])

# Hundredths of a percent, rounded down. A gate that asks for nothing gives nothing.
default hundredths := 0

hundredths := ((earned_all * 10000) - ((earned_all * 10000) % possible)) / possible if possible > 0

default reached := false

reached if {
	possible > 0
	earned_all * 10000 >= input.gate.threshold * possible
}

reached if {
	possible == 0
	input.gate.threshold == 0
}

deny contains reason.about(meta, "SCORE_BELOW_THRESHOLD", message, 0, null) if {
	not reached
	message := concat("", ["the score of ", shown(hundredths), " is below the threshold of ", shown(input.gate.threshold)])
}

shown(x) := concat("", [format_int((x - (x % 100)) / 100, 10), ".", format_int(((x % 100) - (x % 10)) / 10, 10), format_int(x % 10, 10)])
