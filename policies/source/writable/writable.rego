# METADATA
# scope: package
# title: The source is read by a role that cannot write
# description: >-
#   A source role that can write to a table in scope, owns one or is superuser states why it is used.
# custom:
#   severity: high
#   controls: [BAUTA-SOURCE-1, SOC2-CC6.3, PCI-7.2]
#   codes:
#     SOURCE_WRITABLE: use a role that may only SELECT, or write why this one has to be used (source.writable)
package source.writable

import data.gate.exception
import data.gate.reason

meta := reason.package_of(rego.metadata.chain())

deny contains reason.of(meta, "SOURCE_WRITABLE", "the role of the source can write, and no standing reason is given") if {
	object.get(input, ["source", "writable"], true) != false
	not excused
}

# A rule of its own: an undefined argument would leave `not exception.stands(…)` undefined, and nothing would be denied.
excused if exception.stands(input.source.writableException, input.today)
