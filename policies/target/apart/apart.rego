# METADATA
# scope: package
# title: The target is not the source
# description: >-
#   That the target is not production is checked, not believed: its system identifier and its address differ from those of every
#   known source. One server for both needs a reason; one database for both is never allowed.
# custom:
#   severity: critical
#   controls: [BAUTA-TARGET-3, SOC2-CC6.6, SOC2-CC8.1, ISO27001-A.8.31, PCI-6.5.3]
#   codes:
#     SOURCE_NOT_KNOWN: give the source of the plan in the list of known sources
#     TARGET_IS_SOURCE: name another database as the target
#     SAME_SERVER: use another server, or write why one server holds both (target.sameServer)
package target.apart

import data.gate.exception
import data.gate.reason

meta := reason.package_of(rego.metadata.chain())

deny contains reason.of(meta, "SOURCE_NOT_KNOWN", "the source of the plan is not among the known sources") if not source_known

source_known if {
	some known in input.knownSources
	known.systemIdentifier == input.source.systemIdentifier
	known.database == input.source.database
}

same_server(known) if known.systemIdentifier == input.target.systemIdentifier

same_server(known) if lower(known.address) == lower(input.target.address)

deny contains reason.of(meta, "TARGET_IS_SOURCE", "the target is the database of a known source") if {
	some known in input.knownSources
	same_server(known)
	known.database == input.target.database
}

deny contains reason.of(meta, "SAME_SERVER", "the target stands on the server of a known source, and no standing reason is given") if {
	some known in input.knownSources
	same_server(known)
	not excused
}

excused if exception.stands(input.target.sameServerException, input.today)

# A server that does not say who it is cannot be told apart from any other.
deny contains reason.of(meta, "SAME_SERVER", "the target's server does not say who it is, so that it cannot be told apart from the source's") if {
	some member in {"systemIdentifier", "address"}
	trim_space(object.get(input, ["target", member], "")) == ""
}
