package deploy.evidence_test

import data.deploy.evidence
import data.deploy.fixture

asked(change) := codes if codes := fixture.codes(evidence.deny) with input as fixture.changed(change)

item(change) := asked({"evidence": [object.union(fixture.item, change)]})

producers(list) := asked({"requirements": [object.union(fixture.requirement, {"producers": list})]})

test_what_is_there_passes if asked({}) == set()

test_none_is_missing if asked({"evidence": []}) == {"EVIDENCE_MISSING"}

test_another_image_is_said if {
	item({"subject": {"kind": "image", "value": "sha256:cc"}}) == {"EVIDENCE_OTHER_SUBJECT"}
	item({"subject": {"kind": "commit"}}) == {"EVIDENCE_OTHER_SUBJECT"}
}

test_another_type_is_missing if item({"type": "grype"}) == {"EVIDENCE_MISSING"}

test_a_tag_alone_has_no_evidence if {
	asked({"request": {"image": {"digest": null}}}) == {"EVIDENCE_OTHER_SUBJECT"}
	asked({"request": {"image": null}}) == {"EVIDENCE_OTHER_SUBJECT"}
}

test_a_report_that_looked_at_nothing_is_none if item({"state": "empty", "why": "no-target"}) == {"EVIDENCE_EMPTY"}

test_an_old_database_is_none if {
	item({"databaseAtMs": (fixture.now - 600000) - 604800000}) == set()
	item({"databaseAtMs": (fixture.now - 600000) - 604800001}) == {"EVIDENCE_EMPTY"}
}

tool(pattern) := asked({"requirements": [object.union(fixture.requirement, {"tool": pattern})]})

test_a_tool_may_be_asked_for if {
	tool("trivy*") == set()
	tool("trivy 0.60") == set()
	tool("grype*") == {"EVIDENCE_OTHER_SUBJECT"}
}

test_a_report_grows_old if {
	item({"receivedAtMs": fixture.now - 86400000}) == set()
	item({"receivedAtMs": fixture.now - 86400001}) == {"EVIDENCE_STALE"}
	item({"madeAtMs": fixture.now - 86400001}) == {"EVIDENCE_STALE"}
	item({"madeAtMs": fixture.now + 86400001}) == set()
}

test_a_producer_may_be_asked_for if {
	producers([{"repository": "shop/web", "ref": "refs/heads/*"}]) == set()
	producers([{"repository": "shop/api"}, {"workflow": "ci.yml"}]) == set()
	producers([{"repository": "shop/web", "ref": "refs/tags/*"}]) == {"EVIDENCE_PRODUCER"}
	producers([{"unheard": "*"}]) == {"EVIDENCE_PRODUCER"}
}

test_the_newest_counts if {
	older := object.union(fixture.item, {"id": "older", "receivedAtMs": fixture.now - 700000})
	asked({"evidence": [older, object.union(fixture.item, {"state": "empty"})]}) == {"EVIDENCE_EMPTY"}
	asked({"evidence": [object.union(older, {"state": "empty"}), fixture.item]}) == set()
}

test_of_one_instant_one_counts if {
	other := object.union(fixture.item, {"id": "zzz", "state": "empty"})
	asked({"evidence": [fixture.item, other]}) == {"EVIDENCE_EMPTY"}
	asked({"evidence": [other, fixture.item]}) == {"EVIDENCE_EMPTY"}
}
