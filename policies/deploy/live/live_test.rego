package deploy.live_test

import data.deploy.fixture
import data.deploy.live

asked(change) := codes if codes := fixture.codes(live.deny) with input as fixture.with_version(change)

test_none_passes if asked({}) == set()

test_one_is_too_many if asked({"liveValues": 1}) == {"LIVE_VALUES"}
