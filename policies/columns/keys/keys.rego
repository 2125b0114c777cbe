# METADATA
# scope: package
# title: Both ends of a key agree
# description: >-
#   Columns joined by foreign keys, partitions or inheritance have one tag, transform, set of parameters, domain and scope; else
#   references break, or the same person has two pseudonyms.
# custom:
#   severity: high
#   controls: [BAUTA-MASK-3, SOC2-PI1.3]
#   codes:
#     KEY_ENDS_DIFFER: give both columns the same tag and no override, or the same override
package columns.keys

import data.gate.reason

meta := reason.package_of(rego.metadata.chain())

# The first column of each component is the one that the others are held to; its position, so that large plans stay linear.
first[component] := min(positions) if {
	some component, positions in members
}

members[component] contains position if {
	some position, column in input.columns
	column.path == null
	component := column.component
	component != null
}

differing := {"tag", "transform", "paramsDigest", "domain", "scope"}

deny contains reason.of(meta, "KEY_ENDS_DIFFER", message) if {
	some component, positions in members
	leader := input.columns[first[component]]
	some position in positions
	column := input.columns[position]
	some member in differing
	object.get(column, member, false) != object.get(leader, member, true)
	message := concat("", ["the joined columns ", reason.place(leader), " and ", reason.place(column), " differ in ", words[member]])
}

words := {"tag": "tag", "transform": "transform", "paramsDigest": "parameters", "domain": "domain", "scope": "scope"}
