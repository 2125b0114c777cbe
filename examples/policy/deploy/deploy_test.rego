package bauta.deploy_test

import rego.v1

import data.bauta.deploy

parameters := {"weekdays": ["Saturday"], "environments": ["prod-*"]}

# 2026-11-21, a Saturday.
saturday := 1795219200000

asked(environment, nowMs, threshold) := {
	"nowMs": nowMs,
	"request": {"environment": environment},
	"gate": {"name": "production", "threshold": threshold},
}

codes(question) := found if {
	found := {reason.code | some reason in deploy.deny} with input as question with data.quiet as parameters with data.score.least as 80
}

test_a_quiet_day if codes(asked("prod-eu", saturday, 9000)) == {"QUIET_DAY"}

test_another_day if codes(asked("prod-eu", saturday + 172800000, 9000)) == set()

test_another_environment if codes(asked("test-eu", saturday, 9000)) == set()

test_exactly_the_least_is_enough if codes(asked("test-eu", saturday, 8000)) == set()

test_a_hair_below_is_not if codes(asked("test-eu", saturday, 7999)) == {"THRESHOLD_TOO_LOW"}
