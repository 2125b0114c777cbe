# METADATA
# scope: package
# title: Redaction is an exception
# description: >-
#   Redaction keeps all that it does not recognise, so it is best effort. It states why it is used and until when.
# custom:
#   severity: medium
#   controls: [BAUTA-EXCEPTION-2, GDPR-Art25, SOC2-CC8.1]
#   codes:
#     REDACT_WITHOUT_REASON: use replace, or write why the words themselves are needed
#     REDACT_WITHOUT_EXPIRY: use replace, or write the last day on which redaction is enough (YYYY-MM-DD)
#     REDACT_EXPIRED: use replace, or have the exception decided anew with a later last day
package columns.redact

import data.gate.exception
import data.gate.reason

meta := reason.package_of(rego.metadata.chain())

redacted contains column if {
	some column in input.columns
	column.transform == "redact"
}

# How much it finds, where that was measured.
effort(column) := concat("", ["best effort, recall ", format_int(column.recallPercent, 10), " %"]) if {
	is_number(column.recallPercent)
} else := "best effort"

deny contains reason.of(meta, "REDACT_WITHOUT_REASON", message) if {
	some column in redacted
	not exception.reasoned(column)
	message := concat("", [reason.place(column), " is redacted (", effort(column), ") without a reason"])
}

deny contains reason.of(meta, "REDACT_WITHOUT_EXPIRY", message) if {
	some column in redacted
	not exception.dated(column)
	message := concat("", [reason.place(column), " is redacted (", effort(column), ") without a last day"])
}

deny contains reason.of(meta, "REDACT_EXPIRED", message) if {
	some column in redacted
	exception.past(column, input.today)
	message := concat("", ["the exception that redacts ", reason.place(column), " is over"])
}
