# METADATA
# scope: package
# title: A transform fits its tag
# description: >-
#   Every column or path that speaks of a person has a transform from the list of its tag. An unknown tag, a tagged
#   column that would go through a transform meant for something else, and an untouched mixed column are refused.
# custom:
#   severity: critical
#   controls: [BAUTA-MASK-1, GDPR-Art25, GDPR-Art32, SOC2-CC6.1, SOC2-CC8.1, ISO27001-A.8.11]
#   codes:
#     TAG_UNKNOWN: use one of the tags that Bauta knows, or none
#     TRANSFORM_UNFIT: take a transform that fits the tag, as the rulebook default does
package columns.fit

import data.gate.reason
import data.tags.table

meta := reason.package_of(rego.metadata.chain())

# Judged by rules of their own: keep by columns.keep, redact by columns.redact.
judged_elsewhere := {"keep", "redact"}

deny contains reason.of(meta, "TAG_UNKNOWN", message) if {
	some column in input.columns
	not column.tag in {"none", "mixed"}
	not table.known(column.tag)
	message := concat("", ["the tag ", column.tag, " of ", reason.place(column), " is not known"])
}

deny contains reason.of(meta, "TRANSFORM_UNFIT", message) if {
	some column in input.columns
	unfit(column)
	message := concat("", ["the transform ", column.transform, " of ", reason.place(column), " does not fit its tag ", column.tag])
}

unfit(column) if {
	table.known(column.tag)
	not column.transform in judged_elsewhere
	not column.transform in table.allowed(column.tag)
}

# Redaction finds what it knows; only running text may be given to it.
unfit(column) if {
	table.known(column.tag)
	column.transform == "redact"
	not "replace" in table.allowed(column.tag)
}

unfit(column) if {
	column.tag == "mixed"
	column.transform != "paths"
}

# Without paths there is nothing that could say what the parts are.
unfit(column) if {
	column.tag == "none"
	column.transform == "paths"
}
