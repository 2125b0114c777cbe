# METADATA
# scope: package
# title: Digits of a card number do not stand beside its token
# description: >-
#   Where a copy holds a keyed hash or token of a card number, it holds no digits of the same number (the last four, or a
#   truncation): together they narrow the number down. A token that can be exchanged back is never a card number itself. Columns count by their tag, and kept columns also by their name. All of a
#   copy counts, since tables can be joined. Card verification values are never kept.
# custom:
#   severity: critical
#   controls: [BAUTA-MASK-5, PCI-3.5.1.1, PCI-6.5.5, PCI-3.3.1]
#   codes:
#     PAN_PARTS_TOGETHER: mask the digits (pattern, null), or null the card number itself
#     PAN_TOKEN_LOOKS_LIVE: give the rule the form card, whose tokens no card number is equal to
#     PAN_DATA_KEPT: mask it; a live card number or verification value has no place in a test environment
package columns.pan

import data.gate.reason

meta := reason.package_of(rego.metadata.chain())

pan_tags := {"pci.pan"}

part_tags := {"pci.last-four"}

never_kept := {"pci.pan", "pci.cvv"}

# The value of the card number stands in for it: equal numbers give equal tokens.
is_token(column) if {
	column.tag in pan_tags
	not column.transform in {"keep", "null", "fixed", "truncate", "redact"}
}

# Digits of the number go through.
shows_digits(column) if {
	column.tag in part_tags
	column.transform in {"keep", "truncate"}
}

shows_digits(column) if {
	column.tag in pan_tags
	column.transform == "truncate"
}

shows_digits(column) if {
	column.transform == "keep"
	not column.tag in pan_tags
	some word in {"last4", "last_4", "last_four", "lastfour"}
	contains(lower(column.column), word)
}

shows_digits(column) if {
	column.transform == "keep"
	is_string(column.path)
	some word in {"last4", "last_4", "last_four", "lastfour"}
	contains(lower(column.path), word)
}

deny contains reason.of(meta, "PAN_PARTS_TOGETHER", message) if {
	tokens := sort({reason.place(column) | some column in input.columns; is_token(column)})
	count(tokens) > 0
	some column in input.columns
	shows_digits(column)
	message := concat("", [reason.place(column), " lets digits of a card number through while ", tokens[0], " holds a token of it"])
}

# Of the form card the check digit or a test prefix tells a token; of any other form one in ten is a card number that may be in use.
deny contains reason.of(meta, "PAN_TOKEN_LOOKS_LIVE", message) if {
	some column in input.columns
	column.tag in pan_tags
	column.transform == "token"
	column.form != "card"
	message := concat("", [reason.place(column), " gets tokens that may be card numbers in use"])
}

deny contains reason.of(meta, "PAN_DATA_KEPT", message) if {
	some column in input.columns
	column.tag in never_kept
	column.transform == "keep"
	message := concat("", [reason.place(column), " (", column.tag, ") is kept"])
}
