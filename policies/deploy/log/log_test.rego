package deploy.log_test

import data.deploy.fixture
import data.deploy.log

asked(change) := codes if codes := fixture.codes(log.deny) with input as fixture.changed({"log": change})

test_a_signed_log_passes if asked({"lagSeconds": 60}) == set()

test_a_forged_one_is_refused if asked({"state": "forged"}) == {"LOG_NOT_WHOLE"}

test_none_is_refused if asked({"state": "none"}) == {"LOG_NOT_WHOLE"}

test_one_that_nobody_signs_is_refused if asked({"lagSeconds": 60.5}) == {"LOG_NOT_WHOLE"}
