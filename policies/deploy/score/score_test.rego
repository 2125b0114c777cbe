package deploy.score_test

import data.deploy.fixture
import data.deploy.score

scored(change) := hundredths if hundredths := score.hundredths with input as fixture.changed(change)

found(counts) := {"evidence": [object.union(fixture.item, {"counts": counts})]}

passes(change) if {
	codes := fixture.codes(score.deny) with input as fixture.changed(change)
	codes == set()
}

test_everything_is_a_hundred if scored({}) == 10000

test_findings_take_their_part if {
	# 60 of 100 points lose 10 percent for each.
	scored(found({"high": 1})) == 9400
	scored(found({"high": 2, "medium": 1})) == 8680
	scored(found({"critical": 3})) == 4000
}

test_what_is_missing_earns_nothing if {
	scored({"evidence": []}) == 4000
	scored({"dataset": {"version": {"revoked": true}}}) == 6000
	scored({"dataset": {"version": {"checks": null}}}) == 9000
	scored({"dataset": {"version": {"checks": {"pass": 0}}}}) == 9000
	scored({"dataset": {"version": {"checks": {"fail": 1}}}}) == 9000
}

test_exactly_the_threshold_is_enough if {
	exactly := object.union(found({"medium": 5}), {"gate": {"threshold": 9400}})
	passes(exactly)
	not passes(object.union(exactly, {"gate": {"threshold": 9401}}))
}

test_a_hair_below_is_not_enough if {
	# 2 of 3 points: 66.666… percent, shown as 66.66, and no threshold of 66.67 is reached.
	two_of_three := {
		"dataset": null,
		"requirements": [
			object.union(fixture.requirement, {"points": 2}),
			object.union(fixture.requirement, {"name": "other", "type": "grype", "points": 1}),
		],
	}
	scored(two_of_three) == 6666
	passes(object.union(two_of_three, {"gate": {"threshold": 6666}}))
	not passes(object.union(two_of_three, {"gate": {"threshold": 6667}}))
}

test_a_gate_that_asks_for_nothing_gives_nothing if scored({"dataset": null, "requirements": []}) == 0

test_two_decimals_are_shown if {
	score.shown(8505) == "85.05"
	score.shown(10000) == "100.00"
	score.shown(7) == "0.07"
}
