# METADATA
# scope: package
# title: Unique stays unique
# description: >-
#   A column of a primary key, a unique constraint or a unique index has a transform that declares its uniqueness preserved.
# custom:
#   severity: high
#   controls: [BAUTA-MASK-2, SOC2-PI1.3]
#   codes:
#     UNIQUE_NOT_PRESERVED: take a transform that preserves uniqueness, for example integer-key, text-key or uuid
package columns.unique

import data.gate.reason

meta := reason.package_of(rego.metadata.chain())

deny contains reason.of(meta, "UNIQUE_NOT_PRESERVED", message) if {
	some column in input.columns
	column.unique != false
	column.path == null
	object.get(column, "uniqueness", "") != "preserved"
	message := concat("", ["the transform ", column.transform, " of the unique column ", reason.place(column), " may make equal what differs"])
}
