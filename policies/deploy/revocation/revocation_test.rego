package deploy.revocation_test

import data.deploy.fixture
import data.deploy.revocation

reasons := [{"code": "LIVE_VALUES"}, {"code": "DATASET_DRIFTED"}, {"code": "LIVE_VALUES"}]

named(codes) := object.union(fixture.valid, {"parameters": {"revokeOn": codes}})

test_what_the_gate_names_revokes if {
	revocation.revoking(reasons) == ["LIVE_VALUES"] with input as named(["LIVE_VALUES", "DATASET_EXPIRED"])
	revocation.revoking(reasons) == ["DATASET_DRIFTED", "LIVE_VALUES"] with input as named(["LIVE_VALUES", "DATASET_DRIFTED"])
}

test_nothing_else_does if {
	revocation.revoking(reasons) == [] with input as named([])
	revocation.revoking(reasons) == [] with input as fixture.valid
	revocation.revoking([]) == [] with input as named(["LIVE_VALUES"])
}
