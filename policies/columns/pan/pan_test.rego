package columns.pan_test

import data.columns.pan
import data.gate.fixture

card := {"column": "card", "tag": "pci.pan", "transform": "pan"}

last4 := {"column": "digits", "tag": "pci.last-four", "transform": "keep", "unique": false}

codes_of(changes) := codes if {
	codes := fixture.codes(pan.deny) with input as fixture.columns(changes)
}

test_a_token_alone_passes if codes_of([card]) == set()

test_last_four_alone_pass if codes_of([last4]) == set()

test_last_four_beside_a_token_are_refused if codes_of([card, last4]) == {"PAN_PARTS_TOGETHER"}

test_in_another_table_they_are_refused_too if codes_of([card, object.union(last4, {"table": "public.refund"})]) == {"PAN_PARTS_TOGETHER"}

test_masked_last_four_pass if codes_of([card, object.union(last4, {"transform": "pattern"})]) == set()

test_last_four_beside_no_number_pass if codes_of([object.union(card, {"transform": "null"}), last4]) == set()

test_a_truncated_number_beside_a_token_is_refused if {
	codes_of([card, object.union(card, {"column": "card_short", "transform": "truncate"})]) == {"PAN_PARTS_TOGETHER"}
}

test_an_untagged_name_counts if {
	codes_of([card, {"column": "CardLast4", "tag": "none", "transform": "keep"}]) == {"PAN_PARTS_TOGETHER"}
	codes_of([card, {"column": "card", "path": "card.last_four", "tag": "none", "transform": "keep"}]) == {"PAN_PARTS_TOGETHER"}
}

test_a_token_that_is_no_card_number_passes if codes_of([object.union(card, {"transform": "token", "form": "card"})]) == set()

test_a_token_that_may_be_one_is_refused if {
	codes_of([object.union(card, {"transform": "token", "form": "digits"})]) == {"PAN_TOKEN_LOOKS_LIVE"}
}

test_a_kept_number_is_refused if codes_of([object.union(card, {"transform": "keep"})]) == {"PAN_DATA_KEPT"}

test_a_kept_verification_value_is_refused if codes_of([{"tag": "pci.cvv", "transform": "keep"}]) == {"PAN_DATA_KEPT"}
