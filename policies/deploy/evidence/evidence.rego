# METADATA
# scope: package
# title: The evidence that a gate asks for is there
# description: >-
#   For each requirement there is evidence of its type about this very commit, image digest or environment, from a producer that it names, not older
#   than it allows; and a report that ran no rule, found no target or used an old database counts as none.
# custom:
#   severity: high
#   controls: [BAUTA-DEPLOY-9, SOC2-CC7.1, SOC2-CC8.1, PCI-6.3.1, ISO27001-A.8.8, ISO27001-A.8.29]
#   codes:
#     EVIDENCE_MISSING: make the report for what is deployed and send it to /v1/evidence before asking
#     EVIDENCE_OTHER_SUBJECT: make the report for this commit, image or environment
#     EVIDENCE_PRODUCER: let one of the producers that the gate names send it
#     EVIDENCE_STALE: make the report anew
#     EVIDENCE_EMPTY: see why the tool looked at nothing; its why is with the evidence
package deploy.evidence

import data.deploy.reason

meta := reason.package_of(rego.metadata.chain())

# What counts of a requirement, or nothing.
counting(requirement) := item if {
	item := reason.newest(reason.produced(requirement))
	item.state == "whole"
	knew_enough(item)
	reason.fresh(item, requirement.maxAgeMs)
}

# The vulnerabilities that the tool knew were not too old when it made the report.
knew_enough(item) if item.databaseAtMs == null

knew_enough(item) if {
	is_number(item.databaseAtMs)
	reason.at(item) - item.databaseAtMs <= input.parameters.databaseMaxAgeMs
}

# The code, the words and the evidence that each requirement without one is denied with.
lacking[requirement.name] := {"code": "EVIDENCE_MISSING", "words": "is missing", "id": null} if {
	some requirement in input.requirements
	count(reason.fitting(requirement)) == 0
	not is_about_others(requirement)
}

lacking[requirement.name] := {"code": "EVIDENCE_OTHER_SUBJECT", "words": "is about something else than what is deployed", "id": null} if {
	some requirement in input.requirements
	count(reason.fitting(requirement)) == 0
	is_about_others(requirement)
}

lacking[requirement.name] := {"code": "EVIDENCE_PRODUCER", "words": "is from nobody whom the gate names", "id": id} if {
	some requirement in input.requirements
	count(reason.produced(requirement)) == 0
	id := reason.newest(reason.fitting(requirement)).id
}

lacking[requirement.name] := {"code": "EVIDENCE_EMPTY", "words": "looked at nothing", "id": item.id} if {
	some requirement in input.requirements
	item := reason.newest(reason.produced(requirement))
	item.state != "whole"
}

lacking[requirement.name] := {"code": "EVIDENCE_EMPTY", "words": "went by an old database", "id": item.id} if {
	some requirement in input.requirements
	item := reason.newest(reason.produced(requirement))
	item.state == "whole"
	not knew_enough(item)
}

lacking[requirement.name] := {"code": "EVIDENCE_STALE", "words": "is too old", "id": item.id} if {
	some requirement in input.requirements
	item := reason.newest(reason.produced(requirement))
	item.state == "whole"
	knew_enough(item)
	not reason.fresh(item, requirement.maxAgeMs)
}

is_about_others(requirement) if {
	some item in input.evidence
	item.type == requirement.type
}

deny contains reason.about(meta, one.code, message, requirement.points, one.id) if {
	some requirement in input.requirements
	one := lacking[requirement.name]
	message := concat("", ["the evidence ", requirement.name, " (", requirement.type, ") ", one.words])
}
