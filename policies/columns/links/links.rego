# METADATA
# scope: package
# title: Nothing kept leads back to a row of production
# description: >-
#   A kept column of a table that speaks of persons and is nearly unique per row or person (more than half of its values are
#   distinct) leads from the copy back to the source, whatever it means: a surrogate id, a time to the microsecond, an amount,
#   a coordinate. Without statistics it counts as nearly unique. Booleans and enums cannot be; the parts of a JSON column have
#   no statistics and no type and are judged by their tags alone.
# custom:
#   severity: critical
#   controls: [BAUTA-MASK-4, GDPR-Art4(5), GDPR-Art25, WP216-linkability]
#   codes:
#     LINKS_TO_SOURCE: permute it (integer-key, uuid), coarsen it (date-shift, number-noise, truncate), or keep it with a reason
package columns.links

import data.gate.exception
import data.gate.reason

meta := reason.package_of(rego.metadata.chain())

few_values := {"bool", "enum"}

nearly_unique_above := 0.5

deny contains reason.of(meta, "LINKS_TO_SOURCE", message) if {
	some column in input.columns
	column.path == null
	column.transform == "keep"
	column.speaksOfPerson != false
	not column.type in few_values
	nearly_unique(column)
	not excused(column)
	message := concat("", [reason.place(column), " is kept and nearly unique, so that a row of the copy leads to its row of the source"])
}

nearly_unique(column) if not is_number(object.get(column, "distinctRatio", null))

nearly_unique(column) if column.distinctRatio > nearly_unique_above

excused(column) if exception.stands(column, input.today)
