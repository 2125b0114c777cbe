# METADATA
# scope: package
# title: The data may go to the target's region
# description: >-
#   The target's region is that of the source, or stands on the list of each category of the plan (EU and EEA, and countries with
#   an adequacy decision), or a safeguard for the transfer is named. A target without a region is in no list.
# custom:
#   severity: high
#   controls: [BAUTA-TARGET-4, GDPR-Art44, GDPR-Art45, GDPR-Art46, SOC2-CC6.7]
#   codes:
#     REGION_NOT_LISTED: write the target's region, choose one on the list, or name the safeguard for the transfer (target.safeguard)
package target.region

import data.gate.reason
import data.tags.table

meta := reason.package_of(rego.metadata.chain())

shortest_safeguard := 3

tag_categories contains table.category(column.tag) if {
	some column in input.columns
	not column.tag in {"none", "mixed"}
}

deny contains reason.of(meta, "REGION_NOT_LISTED", concat("", ["the target's region is on no list for the category ", category])) if {
	some category in tag_categories
	not same_region
	not listed(category)
	not safeguarded
}

same_region if {
	input.source.region != ""
	table.region_word(input.source.region) == table.region_word(input.target.region)
}

listed(category) if table.region_word(input.target.region) in table.regions[category]

safeguarded if input.target.safeguardLength >= shortest_safeguard
