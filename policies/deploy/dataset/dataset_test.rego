package deploy.dataset_test

import data.deploy.dataset
import data.deploy.fixture

asked(change) := codes if codes := fixture.codes(dataset.deny) with input as fixture.changed(change)

said(change) := asked({"dataset": {"statement": change}})

test_good_data_passes if asked({}) == set()

test_a_gate_may_ask_for_none if asked({"dataset": null}) == set()

test_nobody_attested if asked({"dataset": {"statement": null, "version": null}}) == {"DATASET_UNATTESTED"}

test_a_broken_copy_is_none if {
	said({"state": "broken"}) == {"DATASET_NOT_MASKED"}
	said({"state": "unknown"}) == {"DATASET_NOT_MASKED"}
}

test_who_signed_is_checked_here if {
	said({"signer": "unknown"}) == {"DATASET_NOT_MASKED"}
	said({"state": "unchecked"}) == set()
}

test_a_statement_grows_old if {
	said({"atMs": fixture.now - 3600000}) == set()
	said({"atMs": fixture.now - 3600001}) == {"DATASET_STATEMENT_STALE"}
	said({"atMs": fixture.now + 300001}) == {"DATASET_STATEMENT_STALE"}
	said({"atMs": null}) == {"DATASET_STATEMENT_STALE"}
}

test_the_statement_counts_and_not_the_request if {
	asked({"request": {"datasetVersion": "0000000000000001"}}) == set()
	asked({"request": {"datasetVersion": "shop_test@3"}}) == set()
	asked({"request": {"datasetVersion": "shop_test@4"}}) == {"DATASET_OTHER"}
}

test_somebody_elses_version_is_refused if asked({"dataset": {"version": null}}) == {"DATASET_UNKNOWN"}

test_the_end_counts_to_the_millisecond if {
	said({"expiresAtMs": fixture.now}) == {"DATASET_EXPIRED"}
	said({"expiresAtMs": fixture.now + 1}) == set()
	asked({"dataset": {"version": {"expiresAtMs": fixture.now}}}) == {"DATASET_EXPIRED"}
}

test_what_is_gone_or_shut_is_refused if {
	every word in ["revoked", "dropped", "quarantined"] {
		asked({"dataset": {"version": {word: true}}}) == {"DATASET_REVOKED"}
	}
}
