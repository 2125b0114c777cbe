package columns.fit_test

import data.columns.fit
import data.gate.fixture

codes_of(changes) := codes if {
	codes := fixture.codes(fit.deny) with input as fixture.columns(changes)
}

test_a_fitting_transform_passes if codes_of([{}]) == set()

test_null_and_fixed_fit_every_tag if codes_of([{"transform": "null"}, {"transform": "fixed", "tag": "secret.password"}]) == set()

test_a_transform_for_something_else_is_unfit if codes_of([{"transform": "number-noise"}]) == {"TRANSFORM_UNFIT"}

test_an_unknown_transform_is_unfit if codes_of([{"transform": "rot13"}]) == {"TRANSFORM_UNFIT"}

test_a_password_takes_secret_only if {
	codes_of([{"tag": "secret.password", "transform": "secret"}]) == set()
	codes_of([{"tag": "secret.password", "transform": "hash-token"}]) == {"TRANSFORM_UNFIT"}
}

test_an_unknown_tag_is_refused if {
	codes_of([{"tag": "misc.thing"}]) == {"TAG_UNKNOWN"}
	codes_of([{"tag": "pii.mail"}]) == {"TAG_UNKNOWN"}
	codes_of([{"tag": "pii"}]) == {"TAG_UNKNOWN"}
}

test_redact_is_for_running_text if {
	codes_of([{"tag": "pii.free-text", "transform": "redact"}]) == set()
	codes_of([{"transform": "redact"}]) == {"TRANSFORM_UNFIT"}
}

test_keep_is_judged_elsewhere if codes_of([{"transform": "keep"}]) == set()

test_mixed_goes_through_paths_only if {
	codes_of([{"tag": "mixed", "transform": "paths"}]) == set()
	codes_of([{"tag": "mixed", "transform": "keep"}]) == {"TRANSFORM_UNFIT"}
	codes_of([{"tag": "none", "transform": "paths"}]) == {"TRANSFORM_UNFIT"}
}

test_a_path_is_judged_like_a_column if {
	codes_of([{"path": "contact.email", "transform": "number-noise"}]) == {"TRANSFORM_UNFIT"}
	codes_of([{"path": "contact.email"}]) == set()
}
