# METADATA
# scope: package
# title: Unlisted paths are kept for a reason, for a time
# description: >-
#   Where a column with paths keeps the paths that nobody listed, it states why and until when.
# custom:
#   severity: medium
#   controls: [BAUTA-EXCEPTION-3, GDPR-Art25, SOC2-CC8.1]
#   codes:
#     REST_WITHOUT_REASON: list the paths, drop the rest, or write why unlisted paths have to be kept
#     REST_WITHOUT_EXPIRY: list the paths, drop the rest, or write the last day on which unlisted paths may be kept (YYYY-MM-DD)
#     REST_EXPIRED: list the paths, drop the rest, or have the exception decided anew with a later last day
#     REST_UNKNOWN: write rest as drop or keep, or leave it out, so that an unlisted path stops the run
package columns.rest

import data.gate.exception
import data.gate.reason

meta := reason.package_of(rego.metadata.chain())

kept contains column if {
	some column in input.columns
	column.rest == "keep"
}

deny contains reason.of(meta, "REST_WITHOUT_REASON", message) if {
	some column in kept
	not exception.reasoned(column)
	message := concat("", ["unlisted paths of ", reason.place(column), " are kept without a reason"])
}

deny contains reason.of(meta, "REST_WITHOUT_EXPIRY", message) if {
	some column in kept
	not exception.dated(column)
	message := concat("", ["unlisted paths of ", reason.place(column), " are kept without a last day"])
}

deny contains reason.of(meta, "REST_EXPIRED", message) if {
	some column in kept
	exception.past(column, input.today)
	message := concat("", ["the exception that keeps unlisted paths of ", reason.place(column), " is over"])
}

deny contains reason.of(meta, "REST_UNKNOWN", message) if {
	some column in input.columns
	not object.get(column, "rest", "") in {null, "refuse", "drop", "keep"}
	message := concat("", ["it is not known what becomes of unlisted paths of ", reason.place(column)])
}
