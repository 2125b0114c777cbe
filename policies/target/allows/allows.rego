# METADATA
# scope: package
# title: The target may receive these tags
# description: >-
#   Each tag of the plan, masked or not, stands on the target's list, by itself or by its category. Quasi-identifiers are
#   covered by any category about persons.
# custom:
#   severity: critical
#   controls: [BAUTA-TARGET-2, GDPR-Art25, SOC2-CC6.1, ISO27001-A.8.33]
#   codes:
#     TAG_NOT_ALLOWED: leave the columns out, choose another environment, or have the category put on the target's list
package target.allows

import data.gate.reason
import data.tags.table

meta := reason.package_of(rego.metadata.chain())

tags contains column.tag if {
	some column in input.columns
	not column.tag in {"none", "mixed"}
}

deny contains reason.of(meta, "TAG_NOT_ALLOWED", concat("", ["the target may not receive columns of tag ", tag])) if {
	some tag in tags
	not allowed(tag)
}

allowed(tag) if {
	some entry in input.target.allows
	table.covers(entry, tag)
}
