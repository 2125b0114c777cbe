# METADATA
# scope: package
# title: What is kept is kept for a reason, for a time
# description: >-
#   A tagged column or path that goes through unmasked states why and until when, and that day is not over. An untagged column
#   needs no date, but a date that it has counts.
# custom:
#   severity: critical
#   controls: [BAUTA-EXCEPTION-1, GDPR-Art5, GDPR-Art25, SOC2-CC8.1, SOC2-C1.1]
#   codes:
#     KEEP_WITHOUT_REASON: mask it, or write why it has to be kept
#     KEEP_WITHOUT_EXPIRY: mask it, or write the last day on which it may be kept (YYYY-MM-DD)
#     KEEP_EXPIRED: mask it, or have the exception decided anew with a later last day
package columns.keep

import data.gate.exception
import data.gate.reason

meta := reason.package_of(rego.metadata.chain())

kept_personal contains column if {
	some column in input.columns
	column.transform == "keep"
	column.tag != "none"
}

deny contains reason.of(meta, "KEEP_WITHOUT_REASON", message) if {
	some column in kept_personal
	not exception.reasoned(column)
	message := concat("", [reason.place(column), " (", column.tag, ") is kept without a reason"])
}

deny contains reason.of(meta, "KEEP_WITHOUT_EXPIRY", message) if {
	some column in kept_personal
	not exception.dated(column)
	message := concat("", [reason.place(column), " (", column.tag, ") is kept without a last day"])
}

deny contains reason.of(meta, "KEEP_EXPIRED", message) if {
	some column in input.columns
	column.transform == "keep"
	exception.past(column, input.today)
	message := concat("", ["the exception that keeps ", reason.place(column), " is over"])
}
